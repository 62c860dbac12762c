import { leavesOf } from '../../../commitment/leaves.ts'
import { saltBytes } from '../../../commitment/tensor.ts'
import { rowBytes } from '../../../matrix.ts'
import type { ProverAttack } from '../attack.ts'
import type { ForgedTensor, Forger, Lie } from '../forger.ts'
import { type Outgoing, say } from '../outgoing.ts'
import { type Level, leafHashesOf, levelsOf, type OddNodes, rootOf, siblingsOf } from '../trees.ts'
import { byProver, first, type MessageOf } from './define.ts'

/** What a forged tree is made of, and how an opening of it looks. */
interface ForgedTree {
  readonly levels: readonly Level[]
  /** `promoted` unless given. */
  readonly odd?: OddNodes
  /** Number of leaves that the commitment names. */
  readonly rows: number
}

/** The C of the first product is committed to by another tree, and opened by its siblings. */
function otherTree(make: (tensor: ForgedTensor, forger: Forger) => ForgedTree): () => Lie {
  return () => {
    let tree: ForgedTree | undefined
    return {
      prepare({ record, tensors: { c } }, forger) {
        if (record.sequence !== 0 || c === undefined) return
        const { suite, session } = forger.session
        tree = make(c, forger)
        const root = rootOf(suite, session, c.committed, tree.rows, tree.levels.at(-1)![0]!)
        c.committed = { ...c.committed, root }
      },
      send(message, forger) {
        if (message.type !== 'opening' || message.control.sequence !== 0 || tree === undefined) return [message]
        const { leafRows } = forger.operations.get(0)!.tensors.c!.committed
        const proof = siblingsOf(tree.levels, leavesOf(forger.asked.get(0)!.c, leafRows), tree.odd ?? 'promoted')
        const { control, segments } = message
        return [say('opening', { ...control, c: { ...control.c, proof } }, segments)]
      },
    }
  }
}

const zeroHash = () => new Uint8Array(32)

const trees: readonly ProverAttack[] = [
  byProver(
    'commitment: odd nodes duplicated',
    'a node without a sibling is hashed with itself, which gives two lists of leaves one root',
    'commitment-mismatch',
    otherTree(({ committed }, { session: { suite } }) => ({
      levels: levelsOf(suite, leafHashesOf(committed), 'duplicated'),
      odd: 'duplicated',
      rows: committed.rows,
    })),
  ),
  byProver(
    'commitment: a padded tree',
    'leaves of zeros are added up to a power of two',
    'commitment-mismatch',
    otherTree(({ committed }, { session: { suite } }) => {
      const leaves = leafHashesOf(committed)
      const size = 2 ** Math.ceil(Math.log2(leaves.length + 1))
      const padding = Array.from({ length: size - leaves.length }, zeroHash)
      return { levels: levelsOf(suite, [...leaves, ...padding], 'promoted'), rows: committed.rows }
    }),
  ),
  ...[1, -1].map((more) =>
    byProver(
      `commitment: a leaf ${more > 0 ? 'more' : 'fewer'} than there are rows`,
      'the commitment names another number of leaves than the message',
      'commitment-mismatch',
      otherTree(({ committed }, { session: { suite } }) => ({
        levels: levelsOf(suite, leafHashesOf(committed), 'promoted'),
        rows: committed.rows + more,
      })),
    ),
  ),
  byProver(
    'commitment: a leaf too many in the tree',
    'the last row is in the tree twice',
    'commitment-mismatch',
    otherTree(({ committed }, { session: { suite } }) => {
      const leaves = leafHashesOf(committed)
      return { levels: levelsOf(suite, [...leaves, leaves.at(-1)!], 'promoted'), rows: committed.rows }
    }),
  ),
  byProver(
    'commitment: leaves in another order',
    'the leaves are those of the rows from the last to the first',
    'commitment-mismatch',
    otherTree(({ committed }, { session: { suite } }) => ({
      levels: levelsOf(suite, leafHashesOf(committed).toReversed(), 'promoted'),
      rows: committed.rows,
    })),
  ),
  byProver(
    'commitment: nodes as leaves',
    'the product is declared on half of the rows, and the leaves are the nodes above the real ones',
    'commitment-mismatch',
    nodesAsLeaves,
  ),
]

/**
 * Every tensor is declared with as many leaves as its tree has nodes above the leaves, and each of these is opened as the
 * two hashes that it is made of.
 */
function nodesAsLeaves(): Lie {
  const trees = new Map<number, readonly Level[]>()

  function halve(tensor: ForgedTensor, forger: Forger): number {
    const { suite, session } = forger.session
    const levels = trees.get(tensor.tensor) ?? levelsOf(suite, leafHashesOf(tensor.committed), 'promoted')
    const rows = levels[1]!.length * tensor.committed.leafRows
    if (trees.has(tensor.tensor)) return rows
    trees.set(tensor.tensor, levels)
    const root = rootOf(suite, session, tensor.committed, rows, levels.at(-1)![0]!)
    tensor.committed = { ...tensor.committed, rows, root }
    return rows
  }

  function open({ tensor, committed, matrix }: ForgedTensor, asked: Uint32Array) {
    const [hashes, ...nodes] = trees.get(tensor)!
    const leaves = leavesOf(asked, committed.leafRows)
    const leafBytes = committed.leafRows * rowBytes(matrix)
    const segment = new Uint8Array(leaves.length * leafBytes)
    for (const [i, leaf] of leaves.entries()) {
      const children = hashes!.slice(2 * leaf, 2 * leaf + 2)
      for (const [j, hash] of children.entries()) segment.set(hash, i * leafBytes + j * hash.length)
    }
    const salts = new Uint8Array(saltBytes * leaves.length)
    return { segment, opening: { salts, proof: siblingsOf(nodes, leaves, 'promoted') } }
  }

  return {
    prepare({ record, tensors }, forger) {
      if (record.kind !== 'product' || record.layout.kind !== 'matmul') return
      for (const tensor of Object.values(tensors)) record.layout.m = halve(tensor, forger)
    },
    send(message, forger) {
      if (message.type !== 'opening') return [message]
      const { sequence } = message.control
      const { tensors } = forger.operations.get(sequence)!
      const asked = forger.asked.get(sequence)!
      const [a, c] = [open(tensors.a!, asked.a), open(tensors.c!, asked.c)]
      return [say('opening', { sequence, a: a.opening, c: c.opening }, [a.segment, c.segment])]
    },
  }
}

type Commit = MessageOf<'commit'>

/** The roots of the first commitment are changed. */
function roots(change: (roots: readonly Uint8Array[]) => readonly Uint8Array[]) {
  return first('commit', ({ control }: Commit): Outgoing[] => {
    const { tensors } = control
    const other = change(tensors.map(({ root }) => root))
    return [say('commit', { ...control, tensors: tensors.map((tensor, i) => ({ ...tensor, root: other[i]! })) })]
  })
}

const places: readonly ProverAttack[] = [
  byProver(
    'commitment: another session',
    'the tensors are hashed under the name of another session',
    'commitment-mismatch',
    { prepare: ({ tensors }, forger) => rehash(Object.values(tensors), forger, ({ tensor }) => [tensor, zeroHash()]) },
  ),
  byProver(
    'commitment: another tensor',
    'each tensor is hashed under the number of another one',
    'commitment-mismatch',
    {
      prepare: ({ tensors }, forger) => rehash(Object.values(tensors), forger, ({ tensor }) => [tensor + 1, undefined]),
    },
  ),
  byProver(
    'commitment: zero',
    'the roots are zero',
    'commitment-mismatch',
    roots((all) => all.map(zeroHash)),
  ),
  byProver(
    'commitment: one root for all',
    'all tensors have the root of the first',
    'commitment-mismatch',
    roots((all) => all.map(() => all[0]!)),
  ),
  byProver(
    'commitment: roots swapped',
    'the roots are in another order',
    'commitment-mismatch',
    roots((all) => all.toReversed()),
  ),
]

function rehash(
  tensors: readonly ForgedTensor[],
  forger: Forger,
  place: (tensor: ForgedTensor) => readonly [number, Uint8Array | undefined],
): void {
  for (const tensor of tensors) {
    const [number, session] = place(tensor)
    const committed = forger.commit(tensor.matrix, number, session ?? forger.session.session)
    tensor.committed = { ...committed, tensor: tensor.tensor }
  }
}

/** Lies in what is committed to. */
export const commitmentAttacks: readonly ProverAttack[] = [...trees, ...places]
