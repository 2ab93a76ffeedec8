# fish completion of banger and its tools. It asks the tool itself.

function __banger_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l lines ($program __complete $words 2>/dev/null)
    switch "$lines[1]"
        case :files
            __fish_complete_path (commandline -ct)
        case :directories
            __fish_complete_directories (commandline -ct)
        case '*'
            printf '%s\n' $lines
    end
end

for tool in banger banger-vm banger-image banger-net banger-dns banger-ssh banger-bundle banger-doctor
    complete -c $tool -f -a '(__banger_complete)'
end
