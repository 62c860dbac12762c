// The input of the model: points on three spiral arms. Both sides read the same file and make the same features of it, by
// products alone, which every engine rounds alike.

/** Points in the input. */
export const count = 300
export const arms = 3
/** Features of a point: all xⁱ·yʲ with 1 <= i + j <= 4. */
export const featureCount = 14

/**
 * @param {Float32Array} points x and y of each point, [count, 2].
 * @returns {Float32Array} [count, featureCount]
 */
export function featuresOf(points) {
  const features = new Float32Array((points.length / 2) * featureCount)
  let at = 0
  for (let p = 0; p < points.length; p += 2) {
    for (let degree = 1; degree <= 4; degree++) {
      for (let i = degree; i >= 0; i--) {
        let value = 1
        for (let t = 0; t < degree; t++) value *= /** @type {number} */ (points[t < i ? p : p + 1])
        features[at++] = value
      }
    }
  }
  return features
}

/**
 * @param {number} point
 * @returns The arm that it was put on.
 */
export function armOf(point) {
  return point % arms
}
