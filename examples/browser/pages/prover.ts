import { tfjs } from '@tensor-assay/backend-tfjs'
import { createProver, createReceiptProver, type MessageType } from '@tensor-assay/core'
import { ws } from '@tensor-assay/transport-ws'
import * as tf from '@tensorflow/tfjs-core'
import { armOf } from '../src/points.js'
import { behave, type Conduct } from './conduct.ts'
import { byId, element } from './dom.ts'
import { loadClassifier } from './model.ts'
import { observed, progressIn } from './progress.ts'
import { scatter } from './scatter.ts'
import { showVerdict } from './verdict.ts'

const form = byId('form', HTMLFormElement)
const engine = byId('engine', HTMLSelectElement)
const address = byId('address', HTMLInputElement)
const run = byId('run', HTMLButtonElement)
const receipt = byId('receipt', HTMLButtonElement)
const status = byId('status', HTMLElement)
const verdict = byId('verdict', HTMLElement)
const plot = byId('scatter', HTMLElement)
const steps = byId('progress', HTMLElement)

address.value = `${location.protocol.replace('http', 'ws')}//${location.host}/audit`
progressIn(steps)
const loading = loadClassifier()
loading.then(
  ({ points }) => plot.replaceChildren(...scatter(points, undefined, 0)),
  (error) => say(`The model could not be loaded: ${(error as Error).message}`),
)

form.addEventListener('submit', (event) => {
  event.preventDefault()
  void exclusively(prove)
})
receipt.addEventListener('click', () => void exclusively(saveReceipt))

/** The run under audit by the verifier at the other end of a WebSocket. */
async function prove(): Promise<void> {
  const progress = progressIn(steps)
  verdict.hidden = true
  say('Connecting …')
  const classifier = await classifierOnEngine()
  const totals = { committed: 0, opened: 0, bytes: 0 }
  const onMessage = (type: MessageType, bytes: number) => {
    if (type === 'commit')
      progress.reach('committed', `${++totals.committed} ${totals.committed === 1 ? 'message' : 'messages'}`)
    else if (type === 'challenge') progress.reach('challenged', 'on rows that nobody could foresee')
    else if (type === 'opening') {
      totals.bytes += bytes
      progress.reach('opened', `${++totals.opened} products, ${Math.ceil(totals.bytes / 1024)} KiB`)
    } else if (type === 'verdict') progress.reach('judged', 'by the verifier')
  }
  const channel = observed(await ws().dial(address.value), onMessage)
  const prover = await createProver({ backend: tfjs(tf), channel })
  progress.reach('connected', `to ${new URL(address.value).host}`)
  say('Running the model and answering challenges …')
  await classified(classifier, (classify) => prover.audit(classify))
  progress.reach('ran', `on ${engine.selectedOptions[0]?.text ?? engine.value}`)
  const outcome = await prover.close()
  showVerdict(verdict, outcome)
  say(`The verdict is in: ${outcome.status}.`)
}

/** The run as a file that anybody can check later. */
async function saveReceipt(): Promise<void> {
  say('Running the model for a receipt …')
  verdict.hidden = true
  const classifier = await classifierOnEngine()
  const prover = await createReceiptProver({ backend: tfjs(tf), weights: classifier.weights })
  await classified(classifier, (classify) => prover.audit(classify))
  const url = URL.createObjectURL(new Blob([Uint8Array.from(await prover.finish())]))
  element('a', { href: url, download: 'run.receipt' }).click()
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
  say('Saved as run.receipt.')
}

async function classifierOnEngine() {
  const classifier = await loading
  await tf.setBackend(engine.value)
  return classifier
}

/** Runs the model in the way that the form asks for, and draws what the user would be shown. */
async function classified(
  { points, classify }: Awaited<typeof loading>,
  audit: (classify: () => Uint8Array) => Promise<Uint8Array>,
): Promise<void> {
  const restore = behave(new FormData(form).get('conduct') as Conduct, engine.value)
  try {
    const classes = await audit(classify)
    plot.replaceChildren(...scatter(points, classes, classes.filter((arm, i) => arm === armOf(i)).length))
  } finally {
    restore()
  }
}

/** One run at a time. */
async function exclusively(action: () => Promise<void>): Promise<void> {
  run.disabled = receipt.disabled = true
  try {
    await action()
  } catch (error) {
    say(`That did not work: ${(error as Error).message}`)
  } finally {
    run.disabled = receipt.disabled = false
  }
}

function say(text: string): void {
  status.textContent = text
}
