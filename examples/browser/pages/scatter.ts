import { element, svg } from './dom.ts'

const names = ['first', 'second', 'third']
/** Shapes as well as colours tell classes apart. */
const shapes = [
  (x: number, y: number) => `M${x - 3.2} ${y} a3.2 3.2 0 1 0 6.4 0 a3.2 3.2 0 1 0 -6.4 0`,
  (x: number, y: number) => `M${x - 3} ${y - 3} h6 v6 h-6 z`,
  (x: number, y: number) => `M${x} ${y - 4} l4 7 h-8 z`,
]

/**
 * @param points - x and y of each, [count, 2], inside the unit circle.
 * @param classes - Of each point, as the model says; none before it ran.
 * @param right - How many of them are what the points were made as.
 */
export function scatter(points: Float32Array, classes: ArrayLike<number> | undefined, right: number): Node[] {
  const marks: SVGElement[] = []
  for (let i = 0; i < points.length / 2; i++) {
    const [x, y] = [160 + 150 * (points[2 * i] ?? 0), 160 - 150 * (points[2 * i + 1] ?? 0)]
    const arm = classes?.[i]
    const shape = shapes[arm ?? 0]
    if (shape) marks.push(svg('path', { class: arm === undefined ? 'empty' : `arm-${arm}`, d: shape(x, y) }))
  }
  const count = points.length / 2
  const caption =
    classes === undefined
      ? `${count} points, not classified yet`
      : `${right} of ${count} points are put on the arm that they were made on`
  const legend = svg(
    'svg',
    { class: 'scatter', viewBox: '0 0 320 24', 'aria-hidden': 'true' },
    ...names.flatMap((name, arm) => [
      svg('path', { class: `arm-${arm}`, d: shapes[arm]?.(30 + arm * 100, 12) ?? '' }),
      svg('text', { x: 40 + arm * 100, y: 16 }, `${name} arm`),
    ]),
  )
  return [
    svg('svg', { class: 'scatter', viewBox: '0 0 320 320', role: 'img', 'aria-label': caption }, ...marks),
    ...(classes === undefined ? [] : [legend]),
    element('p', { class: 'hint' }, `${caption}.`),
  ]
}
