#!/usr/bin/zsh -f
# SPDX-License-Identifier: BSD-2-Clause
#
# complete.zsh DIR WORD... - print what zsh offers to who presses Tab behind these words, one a line; DIR has the completions. The
# completion system runs in a line editor alone, so that a second zsh on a pseudo-terminal has one.
zmodload zsh/zpty
zmodload zsh/datetime

dir=$1
shift
zpty shell zsh -f -i
zpty -w shell "fpath=(${(q)dir} \$fpath); autoload -Uz compinit; compinit -D -u"
# A call of compadd that only sorts or counts matches offers none. (In the text below a comment would be a word.)
zpty -w shell '
	offered=()
	compadd()
	{
		local -a hits
		if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
			builtin compadd -A hits "$@"
			offered+=("${hits[@]}")
		fi
		builtin compadd "$@"
	}
	offer() { offered=(); _main_complete; compstate[insert]= compstate[list]=; print -r -- "BE""GIN ${(j: :)${(u)offered}} EN""D" }
	zle -C offer complete-word offer
	bindkey "^I" offer
	print RE""ADY'

# Prints what arrives until that pattern does; not longer than 20 seconds.
until_pattern()
{
	local said piece
	float end=$(( EPOCHREALTIME + 20 ))

	while [[ $said != ${~1} ]]; do
		(( EPOCHREALTIME < end )) || { print -u2 "complete.zsh: no answer: $said"; exit 3 }
		zpty -rt shell piece && said+=$piece || sleep 0.02
	done
	print -r -- "$said"
}

until_pattern '*READY*' >/dev/null
zpty -wn shell "${*}"$'\t'
answer=$(until_pattern '*BEGIN *END*') || exit
answer=${answer##*BEGIN }
answer=${answer%% END*}
[[ -z ${answer// /} ]] || print -l -- ${=answer}
zpty -d shell
