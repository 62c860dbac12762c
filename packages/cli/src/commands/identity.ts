import { identityFile } from '@tensor-assay/core/node'
import { command } from '../command.ts'
import { Complaint } from '../complaint.ts'
import { exists } from '../inputs.ts'
import { note, say } from '../terminal.ts'

export const identity = command({
  summary: 'makes or reads a key file and prints its fingerprint',
  usage: 'FILE',
  options: {},
  details: 'The file is secret and only its owner may read it; the fingerprint is for the other side to pin.',
  async run({ positionals }) {
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) throw new Complaint(`expected one FILE, got ${positionals.length}`)
    const isNew = !(await exists(file))
    const { fingerprint } = await identityFile(file)
    if (isNew) note(`made ${file} with a new key; keep it to yourself`)
    say(fingerprint)
    return 0
  },
})
