import * as tf from '@tensorflow/tfjs-core'
import { testComputationAttacks, testWithoutLie } from '../support/attack-tests.ts'
import { tfjsConvolutionVictim, tfjsDenseVictim } from '../support/tfjs-victims.ts'
import { attentionVictim, convolutionVictim } from '../support/victims.ts'

await tf.setBackend('cpu')

const victims = {
  convolutions: convolutionVictim,
  'products of activations': attentionVictim,
  'a dense model of TensorFlow.js': tfjsDenseVictim,
  'convolutions of TensorFlow.js': tfjsConvolutionVictim,
}

for (const [name, victim] of Object.entries(victims)) {
  testWithoutLie(name, victim)
  testComputationAttacks(name, victim)
}
