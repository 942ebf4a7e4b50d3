// Package sensitivity asks the gradients of a model where in its weights a loss
// sits, and short trainings whether what was forgotten is lost. It is for models
// small enough to train; package attribute does without gradients.
//
//  1. Path shares the harm and the benefit of a tuning out among groups of
//     tensors: the integral of the gradient along the straight way from base to
//     tuned model (integrated gradients: Sundararajan, Taly and Yan, arXiv
//     1703.01365, of weights in the place of inputs). Its shares add up to the
//     whole but for a residual, which it tells.
//  2. Fisher is the empirical diagonal of the Fisher information: which single
//     weights the examples depend on (Kirkpatrick et al., arXiv 1612.00796; Matena
//     and Raffel, arXiv 2111.09832, whose merge is merge.Fisher).
//  3. Relearn trains a model for a few steps on what it forgot. What comes back at
//     once was not lost, only unlearned (spurious forgetting: Zheng et al., arXiv
//     2501.13453). Scrambled is the control, a model of the same sizes of weights
//     that never knew anything, and Halflife the number that sums up a curve.
//
// Losses are mean cross-entropies of learned tokens, in nats a token. Gradients are
// float32 in the fixed order of package kernel, sums over a model or over examples
// float64 in the order of tensors and examples: results have the same bits for any
// number of threads.
package sensitivity
