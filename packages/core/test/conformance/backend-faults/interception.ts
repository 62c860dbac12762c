import type { Backend, Interception, ProductObserver } from '../../../src/backend.ts'
import type { Product } from '../../../src/product.ts'
import type { ReferenceBackend, ReferenceKernels, ReferenceTensor } from '../../../src/testing/index.ts'
import { type BackendFault, type Fault, interceptions, reporting } from './spoil.ts'

const untouched = 'the library is left as it was found'
const outside = 'nothing is reported outside an interception'
const nesting = 'interceptions nest, and each observer is told of each product once'
const bits = 'results are the same bits with and without interception'
const throwing = 'what an observer throws reaches neither the caller nor the other observers'
const afterFailure = 'the products after one that fails are reported as before'

type MatMul = ReferenceKernels['matMul']

/** Puts `change` into the library's kernel while an interception is active. */
function kernel(change: (original: MatMul) => MatMul): Fault {
  return interceptions((start, { library: { kernels } }) => (observer) => {
    const original = kernels.matMul
    const changed = change(original)
    kernels.matMul = changed
    const inner = start(observer)
    return wrapped(inner, () => {
      inner.restore()
      if (kernels.matMul === changed) kernels.matMul = original
    })
  })
}

function wrapped(inner: Interception, restore: () => void): Interception {
  return {
    get active() {
      return inner.active
    },
    restore,
    [Symbol.dispose]: restore,
  }
}

/** A backend that patches the kernel by itself, telling observers of it through the good one's statement. */
function tellAll(observers: Iterable<ProductObserver>, tell: (observer: ProductObserver) => void): void {
  for (const observer of observers) tell(observer)
}

export const interceptionFaults: Record<string, BackendFault> = {
  'leaves its patch behind': {
    fault: interceptions((start, { library: { kernels } }) => (observer) => {
      const original = kernels.matMul
      const inner = start(observer)
      return wrapped(inner, () => {
        inner.restore()
        kernels.matMul = (...args) => original(...args)
      })
    }),
    caughtBy: untouched,
    message: /expected 3\/0, got 3\/1/,
  },
  'restores what it found, whoever came meanwhile': {
    fault: kernelStack(),
    caughtBy: untouched,
    message: /the first one restored first: expected 3\/0, got 3\/1/,
  },
  'reports before it is asked and after it is told to stop': {
    fault: interceptions((start) => {
      const everybody: ProductObserver[] = []
      return (observer) => {
        everybody.push(observer)
        const everyone: ProductObserver = {
          product: (product) => tellAll(everybody, (one) => one.product(product)),
          opaque: () => undefined,
        }
        if (everybody.length === 1) start(everyone)
        let active = true
        const restore = () => {
          active = false
        }
        return {
          get active() {
            return active
          },
          restore,
          [Symbol.dispose]: restore,
        }
      }
    }),
    caughtBy: outside,
    message: /to a restored and to a new observer: expected 0,1, got 1,1/,
  },
  'says that it is active for ever': {
    fault: interceptions((start) => (observer) => {
      const inner = start(observer)
      return { active: true, restore: () => inner.restore(), [Symbol.dispose]: () => inner.restore() }
    }),
    caughtBy: outside,
    message: /active, after restore: expected false, got true/,
  },
  'serves the latest observer only': {
    fault: interceptions((start) => {
      let latest: Interception | undefined
      return (observer) => {
        latest?.restore()
        latest = start(observer)
        return latest
      }
    }),
    caughtBy: nesting,
    message: /products reported to two: expected 1,1, got 0,1/,
  },
  'tells outer observers once for each inner one': {
    fault: interceptions((start) => {
      let open = 0
      return (observer) => {
        open++
        const inner = start({
          product: (product) => tellAll(Array(open).fill(observer), (one) => one.product(product)),
          opaque: () => undefined,
        })
        return wrapped(inner, () => {
          if (inner.active) open--
          inner.restore()
        })
      }
    }),
    caughtBy: nesting,
    message: /products reported to two: expected 1,1, got 2,2/,
  },
  'ends every interception with the first': {
    fault: interceptions((start) => {
      const open: Interception[] = []
      return (observer) => {
        const inner = start(observer)
        open.push(inner)
        return wrapped(inner, () => {
          for (const one of open.splice(0)) one.restore()
        })
      }
    }),
    caughtBy: 'interceptions end in any order: 1, 2, 3',
    message: /products reported after 1 ended: expected 0,1,1, got 0,0,0/,
  },
  'ends the latest interception, whichever is to end': {
    fault: interceptions((start) => {
      const open: Interception[] = []
      return (observer) => {
        const inner = start(observer)
        open.push(inner)
        return wrapped(inner, () => open.pop()?.restore())
      }
    }),
    caughtBy: 'interceptions end in any order: 2, 3, 1',
    message: /products reported after 2 ended: expected 1,0,1, got 1,1,0/,
  },
  'counts a second restore': {
    fault: interceptions((start) => {
      const open: Interception[] = []
      return (observer) => {
        const inner = start(observer)
        open.push(inner)
        return wrapped(inner, () => {
          if (inner.active) inner.restore()
          else open.find(({ active }) => active)?.restore()
        })
      }
    }),
    caughtBy: 'restoring twice ends nothing else',
    message: /after one restored twice: expected 0,1, got 0,0/,
  },
  'cannot be disposed of': {
    fault: interceptions((start) => (observer) => {
      const inner = start(observer)
      return {
        get active() {
          return inner.active
        },
        restore: () => inner.restore(),
        [Symbol.dispose]: () => undefined,
      }
    }),
    caughtBy: 'an interception ends when it is disposed of',
    message: /active, after disposal: expected false, got true/,
  },
  'takes an observer for its interception': {
    fault: interceptions((start) => {
      const open = new Map<ProductObserver, Interception>()
      return (observer) => {
        const inner = open.get(observer) ?? start(observer)
        open.set(observer, inner)
        return inner
      }
    }),
    caughtBy: 'an observer that intercepts twice is served until both have ended',
    message: /active, after the first of two ended: expected false,true, got false,false/,
  },
  'changes the result': {
    fault: kernel((original) => (a, b, options) => {
      const result = original(a, b, options)
      new Uint32Array(result.data.buffer)[0]! ^= 1
      return result
    }),
    caughtBy: bits,
    message: /plain: the result within an interception: byte 0/,
  },
  'decomposes fused products': {
    fault: kernel((original) => (a, b, { bias, ...options }) => {
      const result = original(a, b, options)
      if (bias) result.data.set(result.data.map((value, i) => value + bias.data[i % bias.data.length]! * 1.0000002))
      return result
    }),
    caughtBy: bits,
    message: /the result within an interception/,
  },
  'runs the product a second time': {
    fault: reporting((observer, product, { library }) => {
      observer.product(product)
      library.matMul(library.tensor([1, 1], [1]), library.tensor([1, 1], [1]))
    }),
    caughtBy: 'a product runs once, with and without interception',
    message: /plain: kernel runs within an interception: expected 1, got 2/,
  },
  'mixes the tensors of runs that interleave': {
    fault: (harness, good) => {
      let waiting: ReferenceTensor | undefined
      const { kernels } = good.library
      const original = kernels.matMul
      return {
        ...harness,
        backend: {
          ...good,
          intercept(observer) {
            kernels.matMul = (a, b, options) => {
              const taken = waiting ?? a
              waiting = a
              return original(taken.shape.join() === a.shape.join() ? taken : a, b, options)
            }
            const inner = good.intercept(observer)
            return wrapped(inner, () => {
              inner.restore()
              kernels.matMul = original
              waiting = undefined
            })
          },
        },
      }
    },
    caughtBy: 'runs that interleave are reported each with its own tensors',
    message: /results of runs that interleave/,
  },
  'draws what to report': {
    fault: reporting((observer, product) => void (Math.random() < 2 && observer.product(product))),
    caughtBy: 'no random number of the program is used up',
    message: /calls of Math.random within an interception: expected 0, got 1/,
  },
  'leaves tensors behind': {
    fault: reporting((observer, product, { library }) => {
      library.tensor([1], [1])
      observer.product(product)
    }),
    caughtBy: 'nothing is left behind in the library',
    message: /live objects more after an intercepted run/,
  },
  'lets an observer throw at the caller': {
    fault: unguarded(),
    caughtBy: throwing,
    message: /an observer failed/,
  },
  'lets an observer whose memory runs out throw at the caller': {
    fault: unguarded(),
    caughtBy: 'an observer whose memory runs out harms nobody',
    message: /out of memory/,
  },
  'lets one observer keep the others from being told': {
    fault: interceptions((start) => {
      const observers = new Set<ProductObserver>()
      const everyone: ProductObserver = {
        product: (product) => tellAll(observers, (one) => one.product(product)),
        opaque: (operation) => tellAll(observers, (one) => one.opaque(operation)),
      }
      return (observer) => {
        if (observers.size === 0) start(everyone)
        observers.add(observer)
        const restore = () => void observers.delete(observer)
        return {
          get active() {
            return observers.has(observer)
          },
          restore,
          [Symbol.dispose]: restore,
        }
      }
    }),
    caughtBy: 'an observer that throws of an opaque operation harms nobody',
    message: /opaque operations reported to the other observer: expected 1, got 0/,
  },
  'reports the products that observers run': {
    fault: (harness, good) => {
      const observers = new Set<ProductObserver>()
      const { kernels } = good.library
      let observed: Product | undefined
      return {
        ...harness,
        backend: {
          ...good,
          intercept(observer) {
            observers.add(observer)
            const inner = good.intercept({
              product(product) {
                observed = product
                observer.product(product)
                observed = undefined
              },
              opaque: (operation) => observer.opaque(operation),
            })
            const below = kernels.matMul
            const own: MatMul = (...args) => {
              const result = below(...args)
              const again = observed
              if (again !== undefined) tellAll(observers, (one) => one.product(again))
              return result
            }
            kernels.matMul = own
            return wrapped(inner, () => {
              observers.delete(observer)
              if (kernels.matMul === own) kernels.matMul = below
              inner.restore()
            })
          },
        },
      }
    },
    caughtBy: 'a product that an observer runs harms nobody',
    message: /products reported to the other observer: expected 1, got [23]/,
  },
  'goes on telling an observer that has ended': {
    fault: interceptions((start) => (observer) => {
      const inner = start(observer)
      return wrapped(inner, () => void setTimeout(() => inner.restore(), 5))
    }),
    caughtBy: 'an observer that ends its own interception is told no more',
    message: /to the observer that ended its interception: expected 1, got 3/,
  },
  'goes on telling an observer that another one ended': {
    fault: interceptions((start) => (observer) => {
      const inner = start(observer)
      return wrapped(inner, () => void setTimeout(() => inner.restore(), 5))
    }),
    caughtBy: 'an interception that an observer ends is over at once',
    message: /whose interception another one ended/,
  },
  'forgets an interception that an observer starts': {
    fault: (() => {
      let reporting = false
      return interceptions((start) => (observer) => {
        const told: ProductObserver = {
          product(product) {
            reporting = true
            observer.product(product)
            reporting = false
          },
          opaque: (operation) => observer.opaque(operation),
        }
        return start(reporting ? { product: () => undefined, opaque: () => undefined } : told)
      })
    })(),
    caughtBy: 'an interception that an observer starts is told of the products after',
    message: /to an observer that began within another: expected 2, got 0/,
  },
  'reports a product that failed': {
    fault: kernelOf((original, observer) => (a, b, options) => {
      try {
        return original(a, b, options)
      } catch (error) {
        observer.opaque({ operation: 'matMul', reason: 'it failed' })
        throw error
      }
    }),
    caughtBy: 'a product that fails throws what the library throws, and is not reported',
    message: /operations reported: expected 0, got 3/,
  },
  'replaces the error of the library': {
    fault: kernel((original) => (...args) => {
      try {
        return original(...args)
      } catch {
        throw new Error('the product failed')
      }
    }),
    caughtBy: 'a product that fails throws what the library throws, and is not reported',
    message: /what a failing product throws/,
  },
  'takes the product after a failure for a nested one': {
    fault: kernelOf(
      (() => {
        let depth = 0
        return (original, observer) => (a, b, options) => {
          depth++
          const result = original(a, b, options)
          if (--depth > 0) observer.product = () => undefined
          return result
        }
      })(),
    ),
    caughtBy: afterFailure,
    message: /products reported after a failure within the same interception: expected 1, got 0/,
  },
}

/** Puts `change`, which may also talk to the observer, into the library's kernel below the good backend's patch. */
function kernelOf(
  change: (original: MatMul, observer: { product: ProductObserver['product'] } & ProductObserver) => MatMul,
): Fault {
  return interceptions((start, { library: { kernels } }) => (observer) => {
    const original = kernels.matMul
    const own = { product: observer.product.bind(observer), opaque: observer.opaque.bind(observer) }
    const changed = change(original, own)
    kernels.matMul = changed
    const inner = start({ product: (product) => own.product(product), opaque: (operation) => own.opaque(operation) })
    return wrapped(inner, () => {
      inner.restore()
      if (kernels.matMul === changed) kernels.matMul = original
    })
  })
}

/** Patches and restores as a naive patch does: each remembers what it found. */
function kernelStack(): Fault {
  return (harness, good) => ({
    ...harness,
    backend: { ...good, intercept: stacked(good) },
  })
}

function stacked(good: ReferenceBackend): Backend['intercept'] {
  const { kernels } = good.library
  return (observer) => {
    const found = kernels.matMul
    const inner = good.intercept(observer)
    const own: MatMul = (...args) => found(...args)
    kernels.matMul = own
    return wrapped(inner, () => {
      inner.restore()
      kernels.matMul = found
    })
  }
}

/** Calls observers from the kernel itself, with nothing in between. */
function unguarded(): Fault {
  return (harness, good) => {
    const { kernels } = good.library
    return {
      ...harness,
      backend: {
        ...good,
        intercept(observer) {
          let failure: unknown
          const inner = good.intercept({
            product(product) {
              try {
                observer.product(product)
              } catch (error) {
                failure = error
              }
            },
            opaque: (operation) => observer.opaque(operation),
          })
          const below = kernels.matMul
          const own: MatMul = (...args) => {
            const result = below(...args)
            if (failure !== undefined) throw failure
            return result
          }
          kernels.matMul = own
          return wrapped(inner, () => {
            if (kernels.matMul === own) kernels.matMul = below
            inner.restore()
          })
        },
      },
    }
  }
}
