import type { Verdict } from '@tensor-assay/core'
import { element, svg } from './dom.ts'

const [width, height, left, right, axis] = [640, 132, 24, 616, 78]
/** Powers of ten at the ends of the scale. */
const [from, to] = [-3, 7]
/** Honest engines stay below it on data without structure, in units of the scale of rounding. */
const honest = 4

/**
 * The errors of the recomputed entries on a logarithmic scale whose unit is the scale of rounding: the rms of all of
 * them, and the largest.
 */
export function ruler({ statistics }: Verdict): Node {
  const { entries, largestRatio, rmsRatio } = statistics
  if (entries === 0) return element('p', { class: 'hint' }, 'No entry was recomputed, so there are no errors to show.')
  const label = `Errors of ${entries} recomputed entries: rms ${short(rmsRatio)}, largest ${short(largestRatio)} times the scale of rounding. Honest engines stay below ${honest}.`
  const edge = position(honest)
  const ticks = [-3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7].flatMap((power) => {
    const x = position(10 ** power)
    const name = power === 0 ? '1' : `10${[...String(power)].map((c) => superscripts[c]).join('')}`
    return [
      svg('line', { class: 'axis', x1: x, x2: x, y1: axis, y2: axis + 5 }),
      svg('text', { x, y: axis + 20, 'text-anchor': 'middle' }, name),
    ]
  })
  return svg(
    'svg',
    { class: 'ruler', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label },
    svg('rect', { class: 'rounding', x: left, y: 34, width: edge - left, height: axis - 34 }),
    svg('rect', { class: 'beyond', x: edge, y: 34, width: right - edge, height: axis - 34 }),
    svg('text', { x: left + 8, y: axis - 9 }, 'rounding'),
    svg('text', { x: right - 8, y: axis - 9, 'text-anchor': 'end' }, 'beyond what honest engines show'),
    svg('line', { class: 'axis', x1: left, x2: right, y1: axis, y2: axis }),
    ...ticks,
    svg('text', { x: width / 2, y: height - 10, 'text-anchor': 'middle' }, 'error ÷ scale of rounding'),
    ...marks(rmsRatio, largestRatio),
  )
}

function marks(rms: number, largest: number): SVGElement[] {
  const [a, b] = [position(rms), position(largest)]
  return [
    mark(a, `rms ${short(rms)}`, 'end'),
    mark(b, `largest ${short(largest)}`, b > right - 110 ? 'end' : 'start'),
  ].map(
    // Where both would be written to the same side of marks that are close, the lower one makes room.
    (made, i) => (i === 0 && b > right - 110 && a > b - 90 ? mark(a, `rms ${short(rms)}`, 'end', 14) : made),
  )
}

function mark(x: number, text: string, anchor: 'start' | 'end', lift = 0): SVGElement {
  const at = anchor === 'end' ? Math.max(x + 5, left + 60) : x - 5
  return svg(
    'g',
    {},
    svg('path', { class: 'mark', d: `M${x} 54 l-6 -20 h12 z` }),
    svg('text', { class: 'strong', x: at, y: 28 - lift, 'text-anchor': anchor }, text),
  )
}

function position(ratio: number): number {
  const power = ratio > 0 ? Math.log10(ratio) : from
  return left + ((Math.min(to, Math.max(from, power)) - from) / (to - from)) * (right - left)
}

function short(ratio: number): string {
  return ratio >= 1e4 ? ratio.toExponential(1) : String(Number(ratio.toPrecision(2)))
}

const superscripts: Readonly<Record<string, string>> = {
  '-': '⁻',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
}
