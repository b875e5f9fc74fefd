// What a shell needs to ask Spillway for candidates. $1 in place of nothing: the words come from the shell itself.

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export const completionScripts: Readonly<Record<Shell, string>> = {
  bash: `_spillway() {
  local IFS=$'\\n'
  COMPREPLY=($(spillway __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _spillway spillway
`,
  zsh: `#compdef spillway
_spillway() {
  local -a candidates
  candidates=("\${(@f)$(spillway __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$candidates" ]]; then compadd -a candidates; else _files; fi
}
compdef _spillway spillway
`,
  fish: `complete -c spillway -f -a '(spillway __complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
};
