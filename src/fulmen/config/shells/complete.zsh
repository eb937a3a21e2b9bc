_fulmen_complete() {
    local line="${(j: :)words[1,CURRENT]}"
    local -a program found
    case ${words[1]:t} in
        python*)
            if [[ $words[2] == -m && $words[3] == fulmen ]]; then
                program=($words[1,3])
            elif [[ ${words[2]:t} == (train|sweep).py ]] && grep -q fulmen "$words[2]" 2> /dev/null; then
                program=($words[1,2])
            else
                _default
                return
            fi ;;
        *) program=($words[1]) ;;
    esac
    found=("${(@f)$(COMP_LINE=$line $program -sc query=zsh 2> /dev/null)}")
    if [[ -z "$found[1]" ]]; then
        _default
        return
    fi
    compadd -Q -S '' -- ${(M)found:#*[=./]}
    compadd -Q -- ${found:#*[=./]}
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u; }
compdef _fulmen_complete fulmen python python3
# To undo all this:
# compdef -d fulmen python python3
# unfunction _fulmen_complete
