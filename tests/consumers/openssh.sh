#!/usr/bin/env bash
# OpenSSH: ssh-keygen -D, an agent that holds the token, login to an sshd on loopback; P-256 and P-384.
WITH_TOKEN="--bits 3072" # P-384 needs them
. "$(dirname "$0")/consumer.sh"
PATH=$PATH:/usr/sbin

needs ssh ssh-keygen ssh-agent ssh-add sshd
ok "a P-256 key" make_key p256 01
ok "a P-384 key" make_key p384 02 secp384r1
list_keys() { ssh-keygen -D "$MODULE" >keys && cat keys; }
shows "ssh-keygen -D lists P-256" "^ecdsa-sha2-nistp256 .* p256$" list_keys
shows "and P-384" "^ecdsa-sha2-nistp384 .* p384$" list_keys
grep p256 keys >p256.pub
grep p384 keys >p384.pub

# An sshd of our own on loopback: each connection is served by `sshd -i`, as inetd does it.
user=$(id -un)
ssh-keygen -q -t ed25519 -N '' -f host_key
cat >sshd_config <<CONF
HostKey $WORK/host_key
AuthorizedKeysFile $WORK/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowUsers $user
LogLevel VERBOSE
CONF
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd # sshd's own, which its service makes
ok "sshd likes its configuration" "$(command -v sshd)" -t -f "$WORK/sshd_config"
serve port python3 "$consumers/inetd.py" "$(command -v sshd)" -i -e -f "$WORK/sshd_config"
awaits port "listening on (.*)"
port=$matched
ok "it listens" test -n "$port"
printf '[127.0.0.1]:%s %s\n' "$port" "$(cat host_key.pub)" >known_hosts
cat >ssh_config <<CONF
Host office
    HostName 127.0.0.1
    Port $port
    User $user
    UserKnownHostsFile $WORK/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    PreferredAuthentications publickey
    BatchMode no
CONF

# The PIN is asked by a program, for there is no terminal.
printf '#!/bin/sh\ncat %s/pin\n' "$WORK" >askpass
printf '#!/bin/sh\necho 000000\n' >wrongpass
chmod 700 askpass wrongpass
export SSH_ASKPASS=$WORK/askpass SSH_ASKPASS_REQUIRE=force
login() { setsid -w ssh -F ssh_config "$@" office 'echo "logged in with $SSH_CONNECTION"' </dev/null; }
login_directly() { login -o PKCS11Provider="$MODULE" -o IdentitiesOnly=no -o IdentityAgent=none; }

: >authorized_keys
refused "an unknown key is not let in" login_directly
cp p256.pub authorized_keys
shows "login with PKCS11Provider, P-256" "^logged in with 127" login_directly
cp p384.pub authorized_keys
shows "login with PKCS11Provider, P-384" "^logged in with 127" login_directly
refused "with a wrong PIN there is none" env SSH_ASKPASS="$WORK/wrongpass" setsid -w ssh -F ssh_config -o PKCS11Provider="$MODULE" -o IdentityAgent=none office true

# The agent: its ssh-pkcs11-helper loads the module.
rm -f agent
export SSH_AUTH_SOCK=$WORK/agent
serve agent_out ssh-agent -D -a "$SSH_AUTH_SOCK" -P "$(readlink -f "$MODULE")"
awaits agent_out "SSH_AUTH_SOCK"
agent_login() { login -o IdentityFile="$WORK/$1.pub" -o IdentitiesOnly=yes; }
ssh_sign() { rm -f letter.sig && ssh-keygen -Y sign -n letter -f "$1.pub" letter && printf 'somebody %s\n' "$(cut -d' ' -f1,2 "$1.pub")" >signers && ssh-keygen -Y verify -n letter -I somebody -f signers -s letter.sig <letter; }
ssh_sign_other() { printf 'another letter\n' | ssh-keygen -Y verify -n letter -I somebody -f signers -s letter.sig; }
certificate() {
    rm -f joe joe.pub joe-cert.pub && ssh-keygen -q -t ed25519 -N '' -f joe && ssh-keygen -U -s "$1.pub" -I joe -n "$user" joe.pub && ssh-keygen -L -f joe-cert.pub
}
ca_login() { printf 'cert-authority %s\n' "$(cat p256.pub)" >authorized_keys && login -i joe -o IdentitiesOnly=yes; }
refused "the agent takes no other module" ssh-add -s /usr/lib/no-such-module.so
ok "ssh-add -s" setsid -w ssh-add -s "$MODULE"
shows "ssh-add -l" "ECDSA" ssh-add -l
shows "ssh-add -T, P-256" "" ssh-add -T p256.pub
cp p256.pub authorized_keys
shows "login through the agent, P-256" "^logged in with 127" agent_login p256
shows "again, P-256" "^logged in with 127" agent_login p256
cp p384.pub authorized_keys
shows "login through the agent, P-384" "^logged in with 127" agent_login p384
shows "ssh-keygen -Y sign, P-256" "^Good .letter. signature" ssh_sign p256
refused "another letter is not good" ssh_sign_other
shows "ssh-keygen -Y sign, P-384" "^Good .letter. signature" ssh_sign p384
shows "a user certificate signed by the token" "Signing CA: ECDSA.*using ecdsa-sha2-nistp256" certificate p256
shows "it logs in" "^logged in with 127" ca_login
ok "ssh-add -e" ssh-add -e "$MODULE"
shows "then the agent has none" "no identities" bash -c 'ssh-add -l || [ $? = 1 ]'
refused "and there is no login" agent_login p256
finish
