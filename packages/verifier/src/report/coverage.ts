import type { Verdict } from '@tensor-assay/core'
import { byteCount, counted } from './numbers.ts'
import { entry, heading, type Line } from './text.ts'

type Entries = readonly (readonly [label: string, text: string | undefined])[]

/** What was looked at. */
export function checkedLines({ coverage, statistics }: Verdict, width: number): Line[] {
  const { operations, audited, linked, manifestSteps, manifestLinks, relations, inputsBound, outputsBound } = coverage
  const { rows, entries, vectors, largestRatio, bytes, checkMs } = statistics
  const projections = vectors === 0 ? '' : `, ${counted(vectors, 'random projection')} of whole rows`
  return section(
    'Checked',
    [
      ['operations', `${audited} audited of ${operations} declared`],
      [
        'rows',
        entries + vectors === 0 ? 'none' : `${rows} that show work; ${entries} entries recomputed${projections}`,
      ],
      ['errors', entries === 0 ? undefined : errors(largestRatio)],
      ['weights', `${coverage.weightsUsed} used of ${coverage.weightsKnown} known`],
      ['links', linked === 0 ? undefined : `${counted(linked, 'audited product')} on what an earlier product gave`],
      [
        'manifest',
        manifestSteps === undefined
          ? undefined
          : `${counted(manifestSteps, 'complete step')}, ${counted(manifestLinks ?? 0, 'link')} as it says`,
      ],
      [
        'in between',
        relations === undefined
          ? undefined
          : `${counted(relations, 'tensor')} as the manifest derives them, by ${counted(coverage.relationElements ?? 0, 'element')}`,
      ],
      ['input', inputsBound === 0 ? undefined : `bound in ${counted(inputsBound, 'step')}`],
      ['output', outputsBound === 0 ? undefined : `bound in ${counted(outputsBound, 'step')}`],
      ['work', `${byteCount(bytes)} read, ${Math.round(checkMs)} ms of checking`],
    ],
    width,
  )
}

/** What was not looked at, as far as the verdict knows. */
export function uncheckedLines({ coverage, mode, statistics }: Verdict, width: number): Line[] {
  const {
    operations,
    audited,
    opaque,
    skipped,
    activationProducts,
    untelling = 0,
    freeAddends = 0,
    foreignTensors,
    relations,
    stepRate,
  } = coverage
  const passedOver = operations - audited - untelling - opaque - skipped
  return section(
    'Not checked',
    [
      [
        'coverage',
        coverage.manifestSteps === undefined
          ? 'unknown: no manifest, so what the prover does not declare is not missed'
          : undefined,
      ],
      [
        'steps',
        stepRate === undefined
          ? undefined
          : `the policy draws ${Number((100 * stepRate).toPrecision(3))}% of them, and the first; nothing is known of the others`,
      ],
      ['products', passedOver > 0 ? `${passedOver} not drawn, refused or not opened` : undefined],
      [
        'work',
        untelling > 0
          ? `${counted(untelling, 'product')} of which no opened row shows that it was computed: C is what it would be if A·B were 0`
          : undefined,
      ],
      ['opaque', opaque > 0 ? `${counted(opaque, 'operation')} that the backend cannot state as a product` : undefined],
      ['skipped', skipped > 0 ? `${counted(skipped, 'operation')} that the prover left out of the audit` : undefined],
      [
        'activations',
        activationProducts > 0
          ? `${counted(activationProducts, 'product')} whose B is no known weight: checked in sampled columns at most`
          : undefined,
      ],
      [
        'addends',
        freeAddends > 0
          ? `${counted(freeAddends, 'product')} to which a tensor is added that no manifest ties to another one: its C may be anything`
          : undefined,
      ],
      [
        'guards',
        statistics.guards > 0 ? `${counted(statistics.guards, 'row')} of which nothing can be said` : undefined,
      ],
      ['input', coverage.inputsBound === 0 ? "not bound: the first A may be another than the user's" : undefined],
      [
        'output',
        coverage.outputsBound === 0 ? 'not bound: the last C may be another than what was delivered' : undefined,
      ],
      ['binding', mode === 'spot' ? 'nothing is committed to, so links between operations are not seen' : undefined],
      ['time', mode === 'receipt' ? 'when the run took place, unless a beacon was asked for' : undefined],
      [
        'in between',
        `${relations === undefined ? 'activations that are not fused, normalisation, softmax' : 'what no relation of the manifest states'}${
          foreignTensors === undefined
            ? ''
            : `: where ${counted(foreignTensors, 'tensor')} came from that no product gave${coverage.inputsBound > 0 ? ', bound inputs among them' : ''}`
        }`,
      ],
    ],
    width,
  )
}

function section(title: string, entries: Entries, width: number): Line[] {
  const lines = heading(title, width)
  for (const [label, text] of entries) if (text !== undefined) lines.push(...entry(label, text, width))
  return lines
}

function errors(largestRatio: number): string {
  if (largestRatio > 1e6) return 'beyond any scale of rounding'
  const largest = largestRatio < 1000 ? largestRatio.toFixed(2) : largestRatio.toExponential(1)
  return `at most ${largest} times the scale of rounding; on data without structure honest engines stay below 4`
}
