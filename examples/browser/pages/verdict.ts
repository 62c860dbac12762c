import type { Verdict } from '@tensor-assay/core'
import { element } from './dom.ts'
import { ruler } from './ruler.ts'
import { claimWords, detailInWords, percent, reasonInWords, statusWords, visible } from './words.ts'

/** Findings that are spelled out. */
const shown = 4

/** Fills `section` with what the verdict says, and moves the focus to it. */
export function showVerdict(section: HTMLElement, verdict: Verdict): void {
  const { status, findings, findingCount, claim } = verdict
  const { style, title, sentence } = statusWords[status]
  section.className = `card verdict ${style}`
  section.dataset.status = status
  section.dataset.reason = findings[0]?.reason ?? ''
  section.replaceChildren(
    element(
      'h2',
      { class: 'verdict-head', id: 'verdict-title' },
      element('span', { class: 'badge' }, status),
      element('span', {}, title),
    ),
    element('p', {}, `${sentence} ${claim === 'none' || status !== 'fail' ? claimWords[claim] : ''}`.trim()),
    ...(findingCount === 0 ? [] : [element('h3', {}, 'Why'), reasons(verdict)]),
    ...(claim === 'none' ? [] : [element('h3', {}, 'Errors of the recomputed entries'), ruler(verdict)]),
    ...(claim === 'none' ? [] : [element('h3', {}, 'What was looked at'), facts(verdict)]),
    element(
      'details',
      {},
      element('summary', {}, 'The whole verdict'),
      element('pre', { tabindex: '0' }, visibleJson(verdict)),
    ),
  )
  section.hidden = false
  section.focus({ preventScroll: true })
  if (findings.length > 0) section.scrollIntoView({ block: 'nearest' })
}

function reasons({ findings, findingCount }: Verdict): HTMLElement {
  const list = element('ul', { class: 'findings' })
  for (const finding of findings.slice(0, shown)) {
    list.append(element('li', {}, `${reasonInWords(finding)}.`, element('small', {}, detailInWords(finding))))
  }
  const left = findingCount - Math.min(shown, findings.length)
  if (left > 0) list.append(element('li', {}, `${left} more like these or others.`))
  return list
}

function facts({ coverage, statistics, detection, claim, mode, status }: Verdict): HTMLElement {
  const half = detection.byFraction.find(({ fraction }) => fraction === 0.5)
  const list = element('dl')
  const add = (name: string, text: string) => list.append(element('dt', {}, name), element('dd', {}, text))
  add('Products', `${coverage.audited} audited of ${coverage.operations} operations declared`)
  add(
    'Rows',
    `${statistics.rows} that show work, ${statistics.entries} entries recomputed in float64, ${statistics.vectors} random projections of whole rows`,
  )
  add('Weights', `${coverage.weightsUsed} used of ${coverage.weightsKnown} known`)
  add(
    'Input',
    coverage.inputsBound > 0 ? 'is the one that the verifier knows' : 'not checked: the run may be on another',
  )
  if (half !== undefined && status !== 'fail' && coverage.audited > 0) {
    add(
      'Odds',
      claim === 'cost' && half.receiptBits !== undefined
        ? `with half of the rows of every product wrong, forging it takes about 2^${Math.floor(half.receiptBits)} hashes`
        : `half of the rows of one product wrong would have been seen with probability ${percent(half.inOneOperation)}`,
    )
  }
  if (coverage.relations !== undefined) {
    add(
      'In between',
      `${coverage.relations} tensors are what the manifest derives them from, in ${coverage.relationElements} elements`,
    )
  }
  const between =
    coverage.relations === undefined
      ? 'what is not a matrix product, such as softmax'
      : 'what the manifest does not derive'
  add('Not checked', `${between}${mode === 'receipt' ? '; when the run took place' : ''}`)
  return list
}

function visibleJson(verdict: Verdict): string {
  return JSON.stringify(verdict, (_, value) => (typeof value === 'string' ? visible(value) : value), 2)
}
