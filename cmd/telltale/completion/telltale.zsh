#compdef telltale
# Completion of telltale in zsh: source <(telltale completion zsh)
_telltale() {
	local word meaning files=
	local -a found
	while IFS=$'\t' read -r word meaning; do
		if [[ $word == :files ]]; then
			files=1
		else
			found+=("${word//:/\\:}:$meaning")
		fi
	done < <("$words[1]" candidates -- "${(@)words[2,CURRENT]}" 2>/dev/null)
	(( $#found )) && _describe telltale found
	[[ -n $files ]] && _files
}
if [[ $funcstack[1] == _telltale ]]; then
	_telltale "$@"
else
	compdef _telltale telltale
fi
