import type { StoredTensor } from '../../../../product.ts'
import type { ComputationAttack } from '../../attack.ts'
import { bytesOf } from '../../tensors.ts'
import { epilogue, hasAddend, hasBias, isLinear, isPlainMatMul, isSquare, named, otherOfSize, stated } from './state.ts'

/** What is declared is not what was run, on the very tensors. */
export const wrongStatements: readonly ComputationAttack[] = [
  stated('a factor that was not there', 'alpha is declared twice as large', 'value-out-of-tolerance', (product) =>
    epilogue(product, { alpha: 2 * product.epilogue.alpha }),
  ),
  stated(
    'a bias left out',
    'the bias that was added is not declared',
    'value-out-of-tolerance',
    (product) => {
      const { bias: _bias, beta: _beta, ...rest } = product.epilogue
      return { ...product, epilogue: rest }
    },
    { applies: hasBias },
  ),
  stated(
    'a factor of the bias',
    'the bias is declared to be added twice',
    'value-out-of-tolerance',
    (product) => epilogue(product, { beta: 2 }),
    { applies: hasBias },
  ),
  stated(
    'a bias of private values',
    'a bias is declared that would explain any C of one row',
    'vector-unknown',
    (product, { geometry: { n }, random }) => {
      const bytes = bytesOf(Float32Array.from({ length: n }, () => random.signedUnit()))
      const stored = (): StoredTensor => ({ key: bytes, dtype: 'float32', byteLength: bytes.length, bytes })
      return epilogue(product, { bias: { length: n, dtype: 'float32', stored } })
    },
  ),
  stated(
    'a bias for each entry',
    'a bias as long as C is declared, which would explain any C',
    'record-malformed',
    (product, { values }) => {
      const bytes = bytesOf(values.c)
      const stored = (): StoredTensor => ({ key: values.c, dtype: 'float32', byteLength: bytes.length, bytes })
      return epilogue(product, { bias: { length: values.c.length, dtype: 'float32', stored } })
    },
  ),
  stated(
    'an addend left out',
    'the tensor that was added is not declared',
    'value-out-of-tolerance',
    ({ addend: _addend, ...product }) => product,
    { applies: (scene) => hasAddend(scene) && hasBias(scene), expectedWith: { manifest: 'operation-mismatch' } },
  ),
  stated(
    'C as what is added',
    'C itself is declared to be added to the product',
    'value-out-of-tolerance',
    (product) => ({ ...product, addend: product.c }),
    { applies: hasAddend },
  ),
  stated(
    'an activation left out',
    'the activation is not declared',
    'value-out-of-tolerance',
    (product) => epilogue(product, { activation: { name: 'linear' } }),
    { applies: (scene) => !isLinear(scene) && scene.values.c.includes(0) },
  ),
  stated(
    'an activation added',
    'relu is declared where none was applied',
    'value-out-of-tolerance',
    (product) => epilogue(product, { activation: { name: 'relu' } }),
    { applies: isLinear },
  ),
  stated(
    'a square B transposed',
    'the product is declared to be by Bᵀ',
    'value-out-of-tolerance',
    (product) => ({ ...product, b: { ...product.b, transposed: true } }),
    { applies: isSquare },
  ),
  stated(
    'another public weight named',
    'the weight of another layer is named',
    'value-out-of-tolerance',
    (product, scene) => ({ ...product, b: named(product.b, otherOfSize(scene)!.stored) }),
    { applies: (scene) => isPlainMatMul(scene) && otherOfSize(scene) !== undefined },
  ),
]
