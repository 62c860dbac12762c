import type { ConvolutionLayout } from '../../../src/layout.ts'
import type { Product } from '../../../src/product.ts'
import { type BackendFault, backend, reporting, stating } from './spoil.ts'

const reported = 'a product is reported as what it was: '
const convolved = 'a convolution is reported as what it was: '
const sharing = 'a tensor that two products use has one key, and other tensors have others'

const plainKey = {}

/** Changes the layout of a convolution. */
const layout = (change: (layout: ConvolutionLayout) => Partial<ConvolutionLayout>) =>
  stating((product) =>
    product.layout.kind === 'convolution'
      ? { ...product, layout: { ...product.layout, ...change(product.layout) } }
      : product,
  )

const epilogue = (change: (epilogue: Product['epilogue']) => Partial<Product['epilogue']>) =>
  stating((product) => ({ ...product, epilogue: { ...product.epilogue, ...change(product.epilogue) } }))

export const statementFaults: Record<string, BackendFault> = {
  'drops every second product': {
    fault: (() => {
      let products = 0
      return reporting((observer, product) => void (products++ % 2 === 1 || observer.product(product)))
    })(),
    caughtBy: 'products are reported in order, each before its caller has the result',
    message: /products reported when the run returned: expected 2, got 1/,
  },
  'drops batched products': {
    fault: reporting((observer, product) => {
      if (product.layout.kind !== 'matmul' || product.layout.bBatch.length === 0) observer.product(product)
    }),
    caughtBy: `${reported}batched`,
    message: /product 0 was not reported/,
  },
  'counts products twice': {
    fault: reporting((observer, product) => {
      observer.product(product)
      observer.product(product)
    }),
    caughtBy: `${reported}plain`,
    message: /products reported: expected 1, got 2/,
  },
  'tells the observer when it has time': {
    fault: reporting((observer, product) => void setTimeout(() => observer.product(product), 5)),
    caughtBy: 'products are reported in order, each before its caller has the result',
    message: /products reported when the run returned: expected 1, got 0/,
  },
  'states B the other way round': {
    fault: stating((product) => ({ ...product, b: { ...product.b, transposed: !product.b.transposed } })),
    caughtBy: `${reported}plain`,
    message: /transposed, of B: expected false, got true/,
  },
  'reads op(B) as B': {
    fault: stating((product) => {
      const { a, b } = product
      return a.rows === 6 && b.rows === 6 ? { ...product, b: { ...b, read: a.read } } : product
    }),
    caughtBy: `${reported}square`,
    message: /the columns of op\(B\): byte 0/,
  },
  'swaps the sizes': {
    fault: stating((product) =>
      product.layout.kind === 'matmul'
        ? { ...product, layout: { ...product.layout, m: product.layout.n, n: product.layout.m } }
        : product,
    ),
    caughtBy: `${reported}plain`,
    message: /size of A, which the layout gives: expected 3×7, got 5×7/,
  },
  'states a repeated B as if it were there for each': {
    fault: stating((product) =>
      product.layout.kind === 'matmul'
        ? { ...product, layout: { ...product.layout, bBatch: product.layout.aBatch } }
        : product,
    ),
    caughtBy: `${reported}B repeated`,
    message: /size of B, which the layout gives: expected 12×7, got 3×7/,
  },
  'forgets the factor': {
    fault: epilogue(() => ({ alpha: 1 })),
    caughtBy: `${reported}a factor`,
    message: /alpha: expected -0.375, got 1/,
  },
  'forgets the bias': {
    fault: stating((product) => {
      const { bias: _forgotten, ...rest } = product.epilogue
      return { ...product, epilogue: rest }
    }),
    caughtBy: `${reported}a bias`,
    message: /digest of the bias: expected [0-9a-f]+, got undefined/,
  },
  'forgets the factor of the bias': {
    fault: stating((product) => {
      const { beta: _forgotten, ...rest } = product.epilogue
      return { ...product, epilogue: rest }
    }),
    caughtBy: `${reported}a factor of a bias`,
    message: /beta: expected -1.5, got 1/,
  },
  'forgets the addend': {
    fault: stating(({ addend: _forgotten, ...product }) => product),
    caughtBy: `${reported}an addend`,
    message: /whether there is an addend: expected true, got false/,
  },
  'takes C for the addend': {
    fault: stating((product) => (product.addend === undefined ? product : { ...product, addend: product.c })),
    caughtBy: `${convolved}channels first, with an addend`,
    message: /the addend: byte \d+/,
  },
  'says that A is rounded': {
    fault: stating((product) => ({ ...product, roundedBlocks: 32 })),
    caughtBy: `${reported}plain`,
    message: /blocks in which A is rounded: expected undefined, got 32/,
  },
  'names another bias': {
    fault: epilogue(({ bias }) => {
      if (bias === undefined) return {}
      const bytes = new Uint8Array(4 * bias.length)
      return { bias: { ...bias, stored: () => ({ key: {}, dtype: 'float32', byteLength: bytes.length, bytes }) } }
    }),
    caughtBy: `${reported}a bias`,
    message: /digest of the bias/,
  },
  'forgets the activation': {
    fault: epilogue(() => ({ activation: { name: 'linear' } })),
    caughtBy: `${reported}relu`,
    message: /activation: expected relu, got linear/,
  },
  'states another slope': {
    fault: epilogue(({ activation }) =>
      activation.name === 'leakyrelu' ? { activation: { name: 'leakyrelu', slope: 0.2 } } : {},
    ),
    caughtBy: `${reported}leakyrelu`,
    message: /slope: expected/,
  },
  'states other limits': {
    fault: epilogue(({ activation }) =>
      activation.name === 'clip' ? { activation: { ...activation, least: -1 } } : {},
    ),
    caughtBy: `${reported}clip`,
    message: /limits: expected -0.5 to 0.75, got -1 to 0.75/,
  },
  'states another offset': {
    fault: epilogue(({ activation }) =>
      activation.name === 'hardsigmoid' ? { activation: { ...activation, offset: 0.5 } } : {},
    ),
    caughtBy: `${reported}hardsigmoid`,
    message: /offset: expected/,
  },
  'takes tanh for a sigmoid': {
    fault: epilogue(({ activation }) => (activation.name === 'tanh' ? { activation: { name: 'sigmoid' } } : {})),
    caughtBy: `${reported}tanh`,
    message: /activation: expected tanh, got sigmoid/,
  },
  'names an operation that it does not claim to see': {
    fault: stating((product) => ({ ...product, operation: 'dot' })),
    caughtBy: `${reported}plain`,
    message: /dot is not among supports.operations/,
  },
  'declares arithmetic that it does not support': {
    fault: stating((product) => ({ ...product, profile: 'int8' })),
    caughtBy: `${reported}plain`,
    message: /int8 is not among supports.profiles/,
  },
  'forgets the strides': {
    fault: layout(() => ({ strides: [1, 1] })),
    caughtBy: `${convolved}channels last, strided and padded`,
    message: /row \d+ does not follow from A and B/,
  },
  'forgets the padding': {
    fault: layout(() => ({ padding: [0, 0] })),
    caughtBy: `${convolved}channels first, padded`,
    message: /row 0 does not follow from A and B in float32: C\[0, 0\]/,
  },
  'forgets the dilation': {
    fault: layout(() => ({ dilations: [1, 1] })),
    caughtBy: `${convolved}channels last, dilated`,
    message: /row 0 does not follow from A and B/,
  },
  'forgets the groups': {
    fault: layout(() => ({ groups: 1 })),
    caughtBy: `${convolved}channels first, in groups`,
    message: /size of B, which the layout gives/,
  },
  'makes a key for each product': {
    fault: stating((product) => ({ ...product, a: { ...product.a, key: {} } })),
    caughtBy: sharing,
    message: /the same A has two keys/,
  },
  'takes all tensors for one': {
    fault: stating((product) => ({ ...product, b: { ...product.b, key: plainKey } })),
    caughtBy: sharing,
    message: /two tensors B have the same key/,
  },
  'takes all stored tensors for one': {
    fault: stating((product) => {
      const { b } = product
      return {
        ...product,
        b: { ...b, stored: () => ({ ...b.stored(), key: plainKey }) as ReturnType<typeof b.stored> },
      }
    }),
    caughtBy: sharing,
    message: /two stored tensors have the same key/,
  },
  'does not recognise what it computed': {
    fault: stating((product) => ({ ...product, c: { ...product.c, key: {} } })),
    caughtBy: 'the C of a product that is the A of the next keeps its key',
    message: /an A is not recognised as the C before/,
  },
  'recognises a tensor however it is read': {
    fault: (() => {
      const keys = new WeakMap<object, object>()
      return stating((product) => {
        // The stored key of the same B stands for the run, as if a tensor had one key for all ways of reading it.
        const { key: run } = product.b.stored() as { key: object }
        const key = keys.get(run) ?? {}
        keys.set(run, key)
        return { ...product, a: { ...product.a, key } }
      })
    })(),
    caughtBy: 'a tensor read across has another key',
    message: /op\(A\) and A have the same key/,
  },
  'recognises tensors by their shape': {
    fault: (() => {
      const keys = new Map<string, object>()
      return stating((product) => {
        const shape = `${product.a.rows}×${product.a.cols}`
        const key = keys.get(shape) ?? {}
        keys.set(shape, key)
        return { ...product, a: { ...product.a, key } }
      })
    })(),
    caughtBy: 'equal runs on new tensors have new keys',
    message: /A of two runs has one key/,
  },
  'takes every B for a weight': {
    fault: stating((product) => ({ ...product, b: { ...product.b, role: 'candidate' } })),
    caughtBy: 'a B that a product computed is an activation, a given one a candidate',
    message: /role of a B that a product computed: expected activation, got candidate/,
  },
  'recognises a tensor whose data changed': {
    fault: (() => {
      let first: Product | undefined
      return stating((product) => {
        first ??= product
        return { ...product, a: { ...product.a, key: first.a.key }, b: { ...product.b, key: first.b.key } }
      })
    })(),
    caughtBy: 'a tensor changed in place has another key, and what was read of it stays',
    message: /A keeps its key when its data change/,
  },
  'says nothing of operations that are no products': {
    fault: backend((good) => ({
      intercept: (observer) => good.intercept({ product: (p) => observer.product(p), opaque: () => undefined }),
    })),
    caughtBy: 'an operation that is no product is reported as opaque, once, with a reason',
    message: /expected 0,1, got 0,0/,
  },
  'gives no reason': {
    fault: backend((good) => ({
      intercept: (observer) =>
        good.intercept({ product: (p) => observer.product(p), opaque: (o) => observer.opaque({ ...o, reason: '' }) }),
    })),
    caughtBy: 'an operation that is no product is reported as opaque, once, with a reason',
    message: /needs a name and a reason/,
  },
}
