_fulmen_complete() {
    local line=${COMP_LINE:0:COMP_POINT}
    local -a words program
    read -ra words <<< "$line"
    case ${words[0]##*/} in
        python*)
            if [[ ${words[1]} == -m && ${words[2]} == fulmen ]]; then
                program=("${words[@]:0:3}")
            elif [[ ${words[1]##*/} == @(train|sweep).py ]] && grep -q fulmen "${words[1]}" 2> /dev/null; then
                program=("${words[@]:0:2}")
            else
                return
            fi ;;
        *) program=("${words[0]}") ;;
    esac
    mapfile -t COMPREPLY < <(COMP_LINE=$line "${program[@]}" -sc query=bash 2> /dev/null)
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=./] ]]; then
        compopt -o nospace
    fi
    local word=${line##*[[:space:]]}
    if [[ $word == *=* && $COMP_WORDBREAKS == *=* ]]; then # bash replaces only what follows the last =
        COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*=}"}"}")
    fi
}
complete -o bashdefault -o default -F _fulmen_complete fulmen python python3
# To undo all this:
# complete -r fulmen python python3
# unset -f _fulmen_complete
