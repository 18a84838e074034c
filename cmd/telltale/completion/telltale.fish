# Completion of telltale in fish: telltale completion fish | source
function __telltale_candidates
	set -l words (commandline -opc)
	set -l last (commandline -ct)
	for line in ($words[1] candidates -- $words[2..-1] "$last" 2>/dev/null)
		if string match -q ':files*' -- $line
			__fish_complete_path "$last"
		else
			echo $line
		end
	end
end
complete -c telltale -f -a '(__telltale_candidates)'
