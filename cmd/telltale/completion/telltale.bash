# Completion of telltale in bash: source <(telltale completion bash)
_telltale() {
	local word meaning files=
	COMPREPLY=()
	while IFS=$'\t' read -r word meaning; do
		if [[ $word == :files ]]; then
			files=1
		else
			COMPREPLY+=("$word")
		fi
	done < <("$1" candidates -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	if [[ $files ]]; then
		compopt -o default 2>/dev/null
	fi
}
complete -F _telltale telltale
