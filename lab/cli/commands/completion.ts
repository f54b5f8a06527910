import { EngineError } from "../../../engine/base/engine-error.ts";
import { suggestion } from "../../base/did-you-mean.ts";
import { COMPLETE } from "../complete.ts";
import { defineCommand } from "../define-command.ts";

// Each script asks the program itself, so that names of nodes and labs are today's and a new command needs no new script.
const SCRIPTS = {
  bash: `# lab completion for bash: eval "$(lab completion bash)"
_lab() {
  local line="\${COMP_LINE:0:COMP_POINT}" words
  read -r -a words <<< "$line"
  [[ "$line" == *" " ]] && words+=("")
  local IFS=$'\\n'
  COMPREPLY=($(lab ${COMPLETE} -- "\${words[@]:1}" 2>/dev/null))
}
complete -o default -F _lab lab`,
  zsh: `#compdef lab
# lab completion for zsh: eval "$(lab completion zsh)"
_lab() {
  local -a found
  found=(\${(f)"$(lab ${COMPLETE} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -a found; else _files; fi
}
compdef _lab lab`,
  fish: `# lab completion for fish: lab completion fish | source
function __lab_complete
    set -l found (lab ${COMPLETE} -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        string join \\n -- $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c lab -f -a '(__lab_complete)'`,
} as const;

const SHELLS = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[];

export const completionCommand = defineCommand({
  name: "completion",
  summary: "shell completion: commands, flags, nodes, groups, presets, labs",
  description:
    "Prints a script for your shell. Nodes and groups are those of the lab that --name or LAB_NAME mean.",
  examples: [
    { command: 'eval "$(lab completion bash)"', what: "put this into ~/.bashrc" },
    { command: 'eval "$(lab completion zsh)"', what: "into ~/.zshrc, after compinit" },
    {
      command: "lab completion fish > ~/.config/fish/completions/lab.fish",
      what: "for fish",
    },
  ],
  args: [{ name: "SHELL", help: "bash, zsh or fish", required: true, values: SHELLS }],
  options: {},
  run(_context, { args }) {
    const shell = SHELLS.find((name) => name === args[0]);
    if (shell === undefined) {
      throw new EngineError("CLI_USAGE", {
        message: `there is no completion for "${args[0] ?? ""}"`,
        hint: suggestion(args[0] ?? "", SHELLS, `shells are ${SHELLS.join(", ")}`),
      });
    }
    const script = SCRIPTS[shell];
    return Promise.resolve({
      schema: "lab.completion/1",
      data: { shell, script },
      text: script,
    });
  },
});
