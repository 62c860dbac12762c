import { verifyReceipt } from '@tensor-assay/verifier'
import { byId, element } from './dom.ts'
import { type Sorted, sorted, weightsOf } from './model-files.ts'
import { showVerdict } from './verdict.ts'

/** A receipt is read whole, bytes. */
const maxReceiptBytes = 2 ** 29

const drop = byId('drop', HTMLElement)
const input = byId('files', HTMLInputElement)
const list = byId('chosen', HTMLElement)
const check = byId('check', HTMLButtonElement)
const clear = byId('clear', HTMLButtonElement)
const status = byId('status', HTMLElement)
const verdict = byId('verdict', HTMLElement)

let chosen: readonly File[] = []

input.addEventListener('change', () => {
  add([...(input.files ?? [])])
  // So that the same file may be chosen again.
  input.value = ''
})
// Files that miss the box must not replace the page.
for (const type of ['dragover', 'drop']) document.addEventListener(type, (event) => event.preventDefault())
drop.addEventListener('dragover', () => drop.classList.add('over'))
drop.addEventListener('dragleave', () => drop.classList.remove('over'))
drop.addEventListener('drop', (event) => {
  drop.classList.remove('over')
  add([...(event.dataTransfer?.files ?? [])])
})
check.addEventListener('click', () => void verify())
clear.addEventListener('click', () => {
  chosen = []
  show()
  input.focus()
})

function add(files: readonly File[]): void {
  const names = new Set(files.map(({ name }) => name))
  // The newer one of a name replaces the older.
  chosen = [...chosen.filter(({ name }) => !names.has(name)), ...files]
  show()
}

function show(): void {
  const { models, shards, receipts } = sorted(chosen)
  const entries = (files: readonly File[], kind: string) =>
    files.map(({ name }) => element('li', {}, element('b', {}, `${kind} `), name))
  list.replaceChildren(...entries(receipts, 'receipt'), ...entries(models, 'model'), ...entries(shards, 'shard'))
  check.disabled = receipts.length !== 1 || models.length === 0
  clear.disabled = chosen.length === 0
  verdict.hidden = true
  say(missing({ models, shards, receipts }))
}

function missing({ models, receipts }: Sorted): string {
  if (receipts.length > 1) return 'There is more than one receipt: start over with one.'
  if (receipts.length === 0 && models.length === 0) return 'Waiting for a receipt and a model.'
  if (receipts.length === 0) return 'Waiting for the receipt.'
  return models.length === 0 ? 'Waiting for the model.' : 'Ready.'
}

async function verify(): Promise<void> {
  check.disabled = true
  say('Reading the model …')
  verdict.hidden = true
  try {
    const files = sorted(chosen)
    const [receipt] = files.receipts
    if (receipt === undefined) return
    if (receipt.size > maxReceiptBytes)
      throw new Error(`${receipt.name} has more than ${maxReceiptBytes} bytes; check it with the command assay`)
    const weights = await weightsOf(files)
    say('Checking …')
    const outcome = await verifyReceipt(new Uint8Array(await receipt.arrayBuffer()), { weights })
    showVerdict(verdict, outcome)
    say(`Checked: ${outcome.status}.`)
  } catch (error) {
    say(`The files cannot be read: ${(error as Error).message}`)
  } finally {
    check.disabled = false
  }
}

function say(text: string): void {
  status.textContent = text
}
