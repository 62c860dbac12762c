import type { Given, Options } from './arguments/options.ts'

/** One of the things that `assay` does. */
export interface Command<Name extends string = string> {
  /** In a few words, for the list of commands. */
  readonly summary: string
  /** What follows its name on the command line. */
  readonly usage: string
  readonly options: Options<Name>
  /** What there is to say after the options. */
  readonly details?: string
  /**
   * @returns The exit code.
   * @throws {Complaint | AssayError} What the user, or the world, did wrong.
   */
  run(given: Given<Name>): Promise<number>
}

/** Keeps the names of a command's options for {@link Command.run}. */
export function command<const Name extends string>(definition: Command<Name>): Command {
  return definition as Command
}
