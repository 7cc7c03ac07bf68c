// `shoal completion bash`: the words of the command tree as a bash function. Names of
// members and tasks are not completed: that would ask a node at every press of a key.

import type { Command } from 'commander'
import { UsageError } from './errors.js'
import { printJson } from './output.js'

export const completion = (program: Command, shell: string, flags: { readonly json?: true }): void => {
  if (shell !== 'bash') throw new UsageError(`the shell is ${JSON.stringify(shell)}; it must be bash`)
  const script = bashCompletion(program)
  if (flags.json) printJson({ shell, script })
  else process.stdout.write(script)
}

export const bashCompletion = (program: Command): string => {
  const cases: string[] = []
  const walk = (command: Command, path: string): void => {
    const children = command.commands.map(child => child.name()).sort()
    const flags = [...command.options.flatMap(({ long }) => long ?? []), '--help'].sort()
    cases.push(`    '${path}') words='${[...children, ...flags].join(' ')}' ;;`)
    for (const child of command.commands) walk(child, path === '' ? child.name() : `${path} ${child.name()}`)
  }
  walk(program, '')
  const paths = cases.flatMap(each => /^ {4}'([^']+)'\)/.exec(each)?.[1] ?? [])
  return `# Completion of shoal for bash: source <(shoal completion bash)
_shoal() {
  local word path='' next words
  local current=\${COMP_WORDS[COMP_CWORD]}
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in
      ${paths.map(each => `'${each}'`).join('|')}) path=$next ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
    *) words='' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [[ $current != -* && \${#COMPREPLY[@]} -eq 0 ]]; then mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi
}
complete -o filenames -F _shoal shoal
`
}
