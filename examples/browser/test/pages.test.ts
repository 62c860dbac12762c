import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { encodeModel } from '@tensor-assay/onnx-model'
import { build } from 'esbuild'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPages } from '../src/build.js'
import { type Compared, compareFrozen } from './frozen.ts'

const executablePath = '/usr/bin/chromium'
const noChromium = existsSync(executablePath) ? undefined : `there is no ${executablePath}`
if (noChromium !== undefined) console.log(`The tests of the pages are skipped: ${noChromium}.`)

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const modelFiles = ['model.json', 'weights.bin'].map((name) => pathOf(`../public/model/${name}`))
const source = '@tensor-assay/source'

/** A 2×2 array of float32 in the format of NumPy. */
function npy(values: readonly number[]): Buffer {
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }".padEnd(117)
  const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, 'latin1')
  return Buffer.concat([head, Buffer.from(Float32Array.from(values).buffer)])
}

interface Tensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** The weights of the model, which are float32 and lie one behind the other. */
async function modelWeights(): Promise<Tensor[]> {
  const [json, shard] = await Promise.all(modelFiles.map((path) => readFile(path)))
  const { weightsManifest } = JSON.parse(json!.toString()) as { weightsManifest: { weights: Tensor[] }[] }
  let end = 0
  return weightsManifest[0]!.weights.map(({ name, shape }) => {
    const start = end
    end += shape.reduce((product, size) => product * size, 4)
    return { name, shape, bytes: new Uint8Array(shard!.subarray(start, end)) }
  })
}

/** The same weights in other formats. */
const formats = {
  safetensors(tensors: readonly Tensor[]): Uint8Array {
    let end = 0
    const entries = tensors.map(({ name, shape, bytes }) => {
      const start = end
      end += bytes.length
      return [name, { dtype: 'F32', shape, data_offsets: [start, end] }]
    })
    const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(header.length))
    return Buffer.concat([length, header, ...tensors.map(({ bytes }) => bytes)])
  },
  onnx(tensors: readonly Tensor[]): Uint8Array {
    const initializers = tensors.map(
      ({ name, shape, bytes }) => ({ name, type: 'float32', dims: shape, bytes }) as const,
    )
    return encodeModel({ irVersion: 8, opsets: { '': 17 }, graph: { name: 'weights', initializers } })
  },
} as const

describe.skipIf(noChromium !== undefined)('in Chromium', () => {
  let browser: Browser
  let folder: string
  let verifier: ChildProcess
  let origin = ''
  const complaints: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tensor-assay-'))
    await mkdir(pathOf('../screenshots'), { recursive: true })
    await buildPages(join(folder, 'pages'), [source])
    const args = [`--conditions=${source}`, '--import=tsx', pathOf('../src/verifier.js'), '0', join(folder, 'pages')]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    verifier = child
    const { value } = await createInterface(child.stdout)[Symbol.asyncIterator]().next()
    origin = /^listening on (.*)$/.exec(value)?.[1] ?? ''
    const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', ...quiet] })
  })
  afterAll(async () => {
    await browser?.close()
    verifier?.kill()
    await rm(folder, { recursive: true, force: true })
  })

  async function opened(url: string, context?: BrowserContext): Promise<Page> {
    const page = await (context ?? (await browser.newContext({ viewport: { width: 1100, height: 900 } }))).newPage()
    page.on('pageerror', ({ message }) => complaints.push(message))
    await page.goto(url)
    return page
  }

  /** What the page found, once it has. */
  async function verdictOf(page: Page) {
    await page.waitForSelector('#verdict:not([hidden])')
    return page.$eval('#verdict', (section) => {
      const { dataset, textContent } = section as unknown as { dataset: Record<string, string>; textContent: string }
      return { status: dataset.status, reason: dataset.reason, text: textContent }
    })
  }

  async function screenshots(page: Page, name: string): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.screenshot({ path: pathOf(`../screenshots/${name}-${colorScheme}.png`), fullPage: true })
    }
  }

  describe('the page of the prover', () => {
    test.each([
      ['honest', 'wasm', 'pass', ''],
      ['honest', 'cpu', 'pass', ''],
      ['coarse', 'wasm', 'fail', 'value-out-of-tolerance'],
      ['swapped', 'cpu', 'fail', 'value-out-of-tolerance'],
    ])('%s on %s: %s %s', async (conduct, engine, status, reason) => {
      const page = await opened(`${origin}/prover.html`)
      await page.check(`input[value=${conduct}]`)
      await page.selectOption('#engine', engine)
      await page.click('#run')
      const verdict = await verdictOf(page)
      expect(verdict).toMatchObject({ status, reason })
      // Steps are reached in their order, and all of them.
      expect(await page.$$eval('#progress .done', (items) => items.length)).toBe(6)
      if (status === 'pass') expect(verdict.text).toContain('3 audited of 3 operations declared')
      else expect(verdict.text).toContain('further from the product of its operands than rounding explains')
      const caption = (await page.textContent('#scatter p')) ?? ''
      if (conduct === 'swapped') expect(Number(/^\d+/.exec(caption)?.[0])).toBeLessThan(150)
      else expect(Number(/^\d+/.exec(caption)?.[0])).toBeGreaterThan(290)
      if (engine === 'wasm') await screenshots(page, `prover-${conduct}`)
      await page.context().close()
    })

    test('says that nobody answers', async () => {
      const page = await opened(`${origin}/prover.html`)
      await page.fill('#address', `${origin.replace('http', 'ws')}/elsewhere`)
      await page.click('#run')
      await page.waitForFunction('document.querySelector("#status").textContent.includes("cannot be reached")')
      expect(await page.isEnabled('#run')).toBe(true)
      await page.context().close()
    })
  })

  describe('the page of the verifier, opened from a disk and offline', () => {
    async function receiptOf(conduct: string): Promise<string> {
      const page = await opened(`${origin}/prover.html`)
      await page.check(`input[value=${conduct}]`)
      const [download] = await Promise.all([page.waitForEvent('download'), page.click('#receipt')])
      const path = join(folder, `${conduct}.receipt`)
      await download.saveAs(path)
      await page.context().close()
      return path
    }

    /** @param name - Of the pictures, which are taken if there is one. */
    async function checked(files: string[], name?: string) {
      const context = await browser.newContext({ offline: true, viewport: { width: 1100, height: 900 } })
      const page = await opened(pathToFileURL(join(folder, 'pages/verifier.html')).href, context)
      expect(await page.isDisabled('#check')).toBe(true)
      await page.setInputFiles('#files', files)
      await page.click('#check')
      const verdict = await verdictOf(page)
      if (name !== undefined) await screenshots(page, `verifier-${name}`)
      await context.close()
      return verdict
    }

    test('passes an honest receipt, and not one of which a bit was changed', async () => {
      const path = await receiptOf('honest')
      const verdict = await checked([path, ...modelFiles], 'good')
      expect(verdict).toMatchObject({ status: 'pass', reason: '' })
      const bytes = await readFile(path)
      bytes[bytes.length >> 1]! ^= 1
      const tampered = join(folder, 'tampered.receipt')
      await writeFile(tampered, bytes)
      expect((await checked([tampered, ...modelFiles])).status).toBe('fail')
      // Another model, in another format.
      const other = join(folder, 'other.npy')
      await writeFile(other, npy([1, 2, 3, 4]))
      expect(await checked([path, other])).toMatchObject({ status: 'fail', reason: 'policy-mismatch' })
    })

    test('fails the receipt of a page that computed too coarsely', async () => {
      const verdict = await checked([await receiptOf('coarse'), ...modelFiles], 'bad')
      expect(verdict).toMatchObject({ status: 'fail', reason: 'value-out-of-tolerance' })
    })

    /** Lets go of a file over the box. */
    async function dropped(page: Page, name: string, content: Uint8Array): Promise<void> {
      await page.evaluate(`{
        const bytes = Uint8Array.from(atob('${Buffer.from(content).toString('base64')}'), (c) => c.charCodeAt(0))
        const data = new DataTransfer()
        data.items.add(new File([bytes], '${name}'))
        document.querySelector('#drop').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }))
      }`)
    }

    test.each(['safetensors', 'onnx'] as const)('takes the weights as a dropped .%s file', async (format) => {
      const receipt = await readFile(await receiptOf('honest'))
      const weights = await modelWeights()
      const page = await opened(pathToFileURL(join(folder, 'pages/verifier.html')).href)
      async function verdictWith(file: Uint8Array) {
        await dropped(page, `model.${format}`, file)
        expect(await page.textContent('#status')).toBe('Ready.')
        await page.click('#check')
        return verdictOf(page)
      }
      await dropped(page, 'run.receipt', receipt)
      expect(await page.textContent('#status')).toBe('Waiting for the model.')
      expect(await verdictWith(formats[format](weights))).toMatchObject({ status: 'pass', reason: '' })

      // One bit of one weight, in a file that replaces the first.
      weights[0]!.bytes[0]! ^= 1
      expect(await verdictWith(formats[format](weights))).toMatchObject({ status: 'fail', reason: 'policy-mismatch' })

      await dropped(page, `model.${format}`, formats[format](weights).subarray(0, 3000))
      await page.click('#check')
      await page.locator('#status', { hasText: 'The files cannot be read' }).waitFor()
      expect(await page.textContent('#status')).toContain(`model.${format}`)
      await page.context().close()
    })

    test('takes dropped files, and says which are missing', async () => {
      const page = await opened(pathToFileURL(join(folder, 'pages/verifier.html')).href)
      await dropped(page, 'model.json', Buffer.from('{}'))
      expect(await page.textContent('#chosen')).toBe('model model.json')
      expect(await page.textContent('#status')).toBe('Waiting for the receipt.')
      await page.context().close()
    })
  })

  test('commitments and challenges are those of Node, and of the frozen vectors', async () => {
    const { outputFiles } = await build({
      entryPoints: [pathOf('./frozen.ts')],
      bundle: true,
      write: false,
      format: 'iife',
      platform: 'browser',
      // It warns that this format cannot start a thread, which nothing here does.
      logLevel: 'error',
      conditions: [source],
    })
    const page = await opened(`${origin}/prover.html`)
    await page.addScriptTag({ content: outputFiles[0]!.text })
    const inPage = (await page.evaluate('compareFrozen()')) as Compared[]
    expect(inPage).toEqual(compareFrozen())
    expect(inPage.map(({ computed }) => computed)).toEqual(inPage.map(({ frozen }) => frozen))
    expect(new Set(inPage.map(({ what }) => what)).size).toBe(7)
    await page.context().close()
  })

  test('no page complained', () => expect(complaints).toEqual([]))
})
