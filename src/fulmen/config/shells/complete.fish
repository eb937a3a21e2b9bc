function _fulmen_program
    set -l words (commandline -opc)
    switch (basename -- $words[1])
        case 'python*'
            if test (count $words) -ge 3; and test "$words[2] $words[3]" = "-m fulmen"
                printf '%s\n' $words[1..3]
            else if test (count $words) -ge 2; and string match -qr '(^|/)(train|sweep)\.py$' -- $words[2]; and grep -q fulmen $words[2] 2>/dev/null
                printf '%s\n' $words[1..2]
            end
        case '*'
            printf '%s\n' $words[1]
    end
end
function _fulmen_complete
    set -lx COMP_LINE (commandline -cp)
    set -l program (_fulmen_program)
    $program[1] $program[2..-1] -sc query=fish 2>/dev/null
end
for name in fulmen python python3
    complete -c $name -n 'test -n "$(_fulmen_program)"' -a '(_fulmen_complete)'
end
# To undo all this:
# for name in fulmen python python3; complete -e -c $name; end
# functions -e _fulmen_program _fulmen_complete
