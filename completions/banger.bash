# bash completion of banger and its tools. It asks the tool itself, so that it knows what the tool
# knows: verbs, options, the names of VMs and images.

_banger() {
  local -a words=() lines=()
  local i typed before

  # bash splits at '='; the tools want "--net=user" whole.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    if ((i > 1)) && [[ ${COMP_WORDS[i]} == "=" || ${COMP_WORDS[i - 1]} == "=" ]]; then
      words[-1]+=${COMP_WORDS[i]}
    else
      words+=("${COMP_WORDS[i]}")
    fi
  done
  typed=${words[-1]}

  COMPREPLY=()
  mapfile -t lines < <("$1" __complete "${words[@]}" 2>/dev/null)
  case ${lines[0]} in
    :files) compopt -o default ;;
    :directories) compopt -o dirnames ;;
    *)
      before=
      [[ $typed == *=* ]] && before=${typed%"${typed##*=}"}
      for i in "${lines[@]}"; do
        i=${i%%$'\t'*}
        COMPREPLY+=("${i#"$before"}")
      done
      ;;
  esac
}

complete -F _banger banger banger-vm banger-image banger-net banger-dns banger-ssh \
  banger-bundle banger-doctor
