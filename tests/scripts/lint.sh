#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# lint.sh - what no compiler checks: licence lines, layers, the top level's few names, nothing of one
# machine in the files, formatting. Prints only problems; exit 1 if there is any.
set -u
cd "$(dirname "$0")/../.." || exit 1

# The folders of userspace/, lowest first; those of one line do not know each other. An include points to the
# same folder or a lower line.
layers=(
	"base"
	"model"
	"policy"
	"sensor evidence report"
	"monitor validate"
	"cmd"
)
skeletons="userspace/sensor/loader.c" # only this includes *.skel.h
top="bpf userspace include tests vmlinux docs build Makefile README.md NEWS.md SECURITY.md LICENSE"

problems=0

problem()
{
	echo "lint: $*"
	problems=$((problems + 1))
}

# Ours, new files included: what git knows or would add.
files()
{
	git ls-files -co --exclude-standard -- "$@" 2>/dev/null | while IFS= read -r f; do
		[ -f "$f" ] && echo "$f"
	done
}

check_licences()
{
	local f want

	while IFS= read -r f; do
		case $f in
		bpf/* | include/* | vmlinux/*) want="GPL-2.0-only OR BSD-2-Clause" ;;
		*) want="BSD-2-Clause" ;;
		esac
		head -n 3 "$f" | grep -qE "SPDX-License-Identifier: $want( \*/)?$" ||
			problem "$f: no 'SPDX-License-Identifier: $want' in its first three lines"
	done < <(files '*.c' '*.h' '*.sh' 'Makefile' '*/Makefile')
}

# Index of a folder's layer; empty if it has none.
layer_of()
{
	local i

	for i in "${!layers[@]}"; do
		[[ " ${layers[i]} " == *" $1 "* ]] && echo "$i" && return
	done
}

# What a file includes, <> and "" kept.
includes()
{
	sed -nE 's/^[ \t]*#[ \t]*include[ \t]*([<"][^>"]+[>"]).*/\1/p' "$1"
}

check_layers()
{
	local f room own header target other found
	local io='f?open(at)?|f?printf|puts|fread|fwrite|fgets|getline|read|write'

	while IFS= read -r f; do
		room=${f#userspace/}
		room=${room%%/*}
		own=$(layer_of "$room")
		if [ -z "$own" ]; then
			problem "$f: in no folder that has a layer (there are: ${layers[*]})"
			continue
		fi
		while IFS= read -r header; do
			target=${header:1:-1}
			case $header in
			\"*.skel.h\")
				[ "$f" = "$skeletons" ] ||
					problem "$f: includes $header; only $skeletons may"
				;;
			\"*.h\")
				[ -f "userspace/$target" ] || continue
				other=$(layer_of "${target%%/*}")
				if [ "$room" != "${target%%/*}" ] && [ "$other" -ge "$own" ]; then
					problem "$f ($room): includes $header, which is not below it"
				fi
				;;
			"<sys/queue.h>") ;; # macros only
			"<bpf/"* | "<unistd.h>" | "<fcntl.h>" | "<sys/"*)
				[ "$room" != model ] ||
					problem "$f: the model does no I/O and knows no BPF, but includes $header"
				;;
			esac
		done < <(includes "$f")
		[ "$room" = model ] || continue
		found=$(grep -nE "(^|[^>.[:alnum:]_])($io)\(" "$f")
		[ -z "$found" ] || problem "$f: the model does no I/O:"$'\n'"$found"
	done < <(files 'userspace/*.c' 'userspace/*.h')
}

check_top()
{
	local f

	for f in *; do
		[[ " $top " = *" $f "* ]] || problem "$f: not a name for the top level (there are: $top and dot-files)"
	done
}

# Paths of the machine this is developed on, and the hosts its package managers ask.
check_machine()
{
	local hosts found

	hosts=$({
		cat /etc/apt/sources.list /etc/apt/sources.list.d/*
		cat /etc/npmrc ~/.npmrc
		printenv npm_config_registry NPM_CONFIG_REGISTRY
	} 2>/dev/null | grep -oE 'https?://[^/ ]+' | sed 's#.*/##; s#.*@##; s#\.#\\.#g' | sort -u | paste -sd'|' -)
	found=$(files | tr '\n' '\0' | xargs -0 grep -nIE "/wor[k]/${hosts:+|$hosts}" 2>/dev/null)
	[ -z "$found" ] || problem "a path or package host of one machine:"$'\n'"$found"
}

check_format()
{
	local f

	if ! command -v clang-format >/dev/null; then
		echo "lint: clang-format is not installed: formatting not checked" >&2
		return
	fi
	while IFS= read -r f; do
		clang-format --dry-run -Werror "$f" 2>/dev/null ||
			problem "$f: not formatted; mend with: clang-format -i $f"
	done < <(files '*.c' '*.h')
}

# Paths that documents name in backticks, from the top, from bpf/ or from userspace/, must exist.
check_paths()
{
	local f path

	while read -r f path; do
		[ -e "$path" ] || [ -e "bpf/$path" ] || [ -e "userspace/$path" ] ||
			problem "$f: names $path, which does not exist"
	done < <(grep -oE '`(bpf|lib|include|tls|userspace|base|model|policy|sensor|report|monitor|cmd|tests|docs)/[a-z0-9_./-]+[` ]' \
		README.md NEWS.md SECURITY.md docs/*.md | sed 's/:`/ /; s/[` ]$//' | sort -u)
}

check_documents()
{
	local found

	if [ ! -x build/docgen ]; then
		problem "build/docgen is not built: generated documents not checked; run: make lint"
		return
	fi
	found=$(build/docgen --check) || problem "generated documents:"$'\n'"$found"
}

if ! git rev-parse --git-dir >/dev/null 2>&1; then
	echo "lint: not a git checkout: no list of files to look at" >&2
	exit 1
fi
check_licences
check_layers
check_top
check_machine
check_format
check_paths
check_documents
[ "$problems" = 0 ]
