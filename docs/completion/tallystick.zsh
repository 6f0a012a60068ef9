#compdef tallystick tallystick-peer tallystick-server
# zsh completion for tallystick, tallystick-peer and tallystick-server
local command=${words[(r)(init|pair|unpair|refresh|address|list|status|sessions|doctor|run|uri|forget|check|token)]}
local -a options
case ${service}:$command in
tallystick:) options=(init pair unpair refresh address list status sessions doctor --config --verbose --help --version) ;;
tallystick:init) options=(--label --name --so-pin-source --pin-source --bits --no-primes --primes) ;;
tallystick:pair) options=(--token --name --pin-source --primes --yes --code --replace) ;;
tallystick:unpair) options=(--token --yes) ;;
tallystick-peer:unpair) options=(--yes) ;;
tallystick:refresh) options=(--token --so-pin-source --primes) ;;
tallystick:address) options=(--token) ;;
*:list) options=(--json) ;;
*:sessions) options=(--status --kind --partner --after --limit --json) ;;
tallystick:status) options=(--token --pin-source --json) ;;
tallystick:doctor) options=(--token --pin-source) ;;
tallystick-peer:) options=(init run list sessions uri unpair forget --config --verbose --help --version) ;;
tallystick-peer:init) options=(--name --passphrase-source --bits --no-primes --primes) ;;
tallystick-peer:run) options=(--passphrase-source --approval --listen --log --ready-fd) ;;
tallystick-peer:uri) options=(--passphrase-source --valid --address --qr --no-qr) ;;
tallystick-peer:forget) options=(--yes) ;;
tallystick-server:) options=(run check token --config --verbose --help --version) ;;
tallystick-server:run) options=(--listen --log --ready-fd) ;;
esac
compadd -- $options --help
[[ $PREFIX == -* ]] || _files
