import { nearest } from './arguments/nearest.ts'
import { parseOptions } from './arguments/options.ts'
import type { Command } from './command.ts'
import { calibrate } from './commands/calibrate.ts'
import { identity } from './commands/identity.ts'
import { manifest } from './commands/manifest.ts'
import { serve } from './commands/serve.ts'
import { verify } from './commands/verify.ts'
import { weights } from './commands/weights.ts'
import { Complaint, complaintOf } from './complaint.ts'
import { troubleCode } from './exit-codes.ts'
import { commandHelp, generalHelp } from './help.ts'
import { note, say } from './terminal.ts'
import { version } from './version.ts'

const commands: Readonly<Record<string, Command>> = { serve, verify, weights, manifest, calibrate, identity }

/**
 * Runs a command line.
 *
 * @param args - What follows `assay`.
 * @returns The exit code.
 */
export async function assay(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined) {
    note(generalHelp(commands))
    return troubleCode
  }
  try {
    if (name === '--help' || name === '-h') {
      say(generalHelp(commands))
      return 0
    }
    if (name === '--version') {
      say(await version())
      return 0
    }
    return await run(name, rest)
  } catch (error) {
    const known = Object.hasOwn(commands, name)
    const more = error instanceof Complaint ? ` (${known ? `assay ${name}` : 'assay'} --help)` : ''
    note(`${known ? `assay ${name}` : 'assay'}: ${complaintOf(error)}${more}`)
    return troubleCode
  }
}

async function run(name: string, args: readonly string[]): Promise<number> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    const meant = nearest(name, Object.keys(commands))
    const names = Object.keys(commands).join(', ')
    throw new Complaint(
      `there is no command ${name}; ${meant === undefined ? `the commands are ${names}` : `did you mean ${meant}?`}`,
    )
  }
  if (args.includes('--help') || args.includes('-h')) {
    say(commandHelp(name, command))
    return 0
  }
  return command.run(parseOptions(command.options, args))
}
