# bash completion for tallystick, tallystick-peer and tallystick-server
_tallystick() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word command= options
    COMPREPLY=()
    case $previous in
    --config | -c | --primes | --log)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --bits | -b)
        mapfile -t COMPREPLY < <(compgen -W "2048 3072 4096" -- "$current")
        return
        ;;
    --kind)
        mapfile -t COMPREPLY < <(compgen -W "pairing keygen presign sign refresh" -- "$current")
        return
        ;;
    --status)
        mapfile -t COMPREPLY < <(compgen -W "running waiting_for_partner completed failed refused timed_out cancelled interrupted" -- "$current")
        return
        ;;
    --approval | -a)
        mapfile -t COMPREPLY < <(compgen -W "ask auto" -- "$current")
        return
        ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        init | pair | unpair | refresh | address | list | status | sessions | doctor | run | uri | forget | check | token) command=$word && break ;;
        esac
    done
    case ${COMP_WORDS[0]##*/}:$command in
    tallystick:) options="init pair unpair refresh address list status sessions doctor --config --verbose --help --version" ;;
    tallystick:init) options="--label --name --so-pin-source --pin-source --bits --no-primes --primes" ;;
    tallystick:pair) options="--token --name --pin-source --primes --yes --code --replace" ;;
    tallystick:unpair) options="--token --yes" ;;
    tallystick-peer:unpair) options="--yes" ;;
    tallystick:refresh) options="--token --so-pin-source --primes" ;;
    tallystick:address) options="--token" ;;
    *:list) options="--json" ;;
    *:sessions) options="--status --kind --partner --after --limit --json" ;;
    tallystick:status) options="--token --pin-source --json" ;;
    tallystick:doctor) options="--token --pin-source" ;;
    tallystick-peer:) options="init run list sessions uri unpair forget --config --verbose --help --version" ;;
    tallystick-peer:init) options="--name --passphrase-source --bits --no-primes --primes" ;;
    tallystick-peer:run) options="--passphrase-source --approval --listen --log --ready-fd" ;;
    tallystick-peer:uri) options="--passphrase-source --valid --address --qr --no-qr" ;;
    tallystick-peer:forget) options="--yes" ;;
    tallystick-server:) options="run check token --config --verbose --help --version" ;;
    tallystick-server:run) options="--listen --log --ready-fd" ;;
    *) options= ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$current")
}
complete -F _tallystick tallystick tallystick-peer tallystick-server
