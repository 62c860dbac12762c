import type { Backend } from '../../backend.ts'
import { geometryOf } from '../../layout.ts'
import type { OpaqueOperation, Product, TensorHandle } from '../../product.ts'
import { deriveSeed } from '../../random/seed.ts'
import { randomStream } from '../../random/stream.ts'
import type { ComputationAttack, Forged, Scene } from './attack.ts'
import { evaluate, hasPlainRows, now } from './evaluate.ts'
import { handleOf, valuesOf } from './tensors.ts'

export interface DishonestOptions {
  /** Which products are lied about, by their position in the run; every one when absent. */
  readonly where?: (sequence: number) => boolean
}

/** A backend that lies, and counts how often it did. */
export interface DishonestBackend extends Backend {
  readonly lies: number
}

/**
 * A backend that lies about what its library computed. The prover behind it is honest, and commits to the lie. It serves
 * one prover.
 *
 * A forged C is also the A of the products that read it, whose C is computed anew, so that nothing but the lie itself is
 * wrong. Lies need float32 tensors that are read at once; products that an attack does not apply to pass as they are.
 *
 * @example
 * ```ts
 * for (const attack of computationAttacks) {
 *   const prover = await createProver({ backend: dishonestBackend(tfjs(tf), attack), channel })
 * }
 * ```
 */
export function dishonestBackend(
  backend: Backend,
  attack: ComputationAttack,
  { where = () => true }: DishonestOptions = {},
): DishonestBackend {
  const earlier: Scene[] = []
  /** Forged tensors by the key of those that they replace. */
  const forgeries = new WeakMap<object, TensorHandle>()
  let sequence = 0
  let lies = 0

  function replaced(handle: TensorHandle, values: Float32Array | undefined): TensorHandle {
    if (values === undefined) return handle
    const forgery = handleOf(handle.rows, handle.cols, values)
    forgeries.set(handle.key, forgery)
    return forgery
  }

  function lieAbout(honest: Product): Product | OpaqueOperation | undefined {
    const place = sequence++
    const geometry = geometryOf(honest.layout)
    const { a, b, c, addend } = honest
    if ([a, b, c, addend ?? c].some(({ dtype }) => dtype !== 'float32') || !hasPlainRows(geometry)) return honest
    const inherited = {
      a: forgeries.get(a.key),
      b: forgeries.get(b.key),
      addend: addend && forgeries.get(addend.key),
    }
    const isStale = Object.values(inherited).some((handle) => handle !== undefined)
    const scene = sceneOf(honest, inherited, earlier, place)
    earlier.push(scene)
    const isLie = where(place) && (attack.applies?.(scene) ?? true)
    const forged: Forged = { ...(isStale && { c: scene.values.c }), ...(isLie && attack.forge?.(scene)) }
    const shown: Product = {
      ...honest,
      a: forged.a ? replaced(a, forged.a) : (inherited.a ?? a),
      b: { ...b, ...inherited.b },
      c: replaced(c, forged.c),
      ...(addend && { addend: forged.addend ? replaced(addend, forged.addend) : (inherited.addend ?? addend) }),
    }
    if (!isLie) return shown
    lies++
    return attack.state ? attack.state(shown, scene) : shown
  }

  return {
    ...backend,
    get lies() {
      return lies
    },
    intercept: (observer) =>
      backend.intercept({
        opaque(operation) {
          sequence++
          observer.opaque(operation)
        },
        product(product) {
          const stated = lieAbout(product)
          if (stated === undefined) return
          if ('layout' in stated) observer.product(stated)
          else observer.opaque(stated)
        },
      }),
  }
}

function sceneOf(
  product: Product,
  inherited: { readonly [name in 'a' | 'b' | 'addend']: TensorHandle | undefined },
  earlier: readonly Scene[],
  sequence: number,
): Scene {
  const geometry = geometryOf(product.layout)
  const run = {
    a: valuesOf(inherited.a ?? product.a),
    b: valuesOf(inherited.b ?? product.b),
    c: valuesOf(product.c),
    ...(product.addend && { addend: valuesOf(inherited.addend ?? product.addend) }),
  }
  const isHonest = Object.values(inherited).every((handle) => handle === undefined)
  const stored = now(product.b.stored())
  const evaluateScene: Scene['evaluate'] = (operands) => evaluate(geometry, product.epilogue, { ...run, ...operands })
  return {
    product,
    geometry,
    values: isHonest ? run : { ...run, c: evaluateScene({}) },
    stored: { ...stored, bytes: stored.bytes.slice() },
    earlier: [...earlier],
    random: randomStream(deriveSeed(new Uint8Array(32), 'attack', sequence)),
    evaluate: evaluateScene,
  }
}
