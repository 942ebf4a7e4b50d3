// Package plot draws the two figures of a report, a heat map and a curve with
// error bars, into PNG and SVG files. It formats and knows nothing of what the
// numbers mean.
//
// The story in order:
//
//  1. A [HeatMap] shows one number for each row and column, such as the drift
//     of each part of each layer: the darker, the larger. Its first row is at
//     the top. A value of NaN is absent and drawn as a struck-through grey
//     cell.
//  2. A [Curve] shows shares against a parameter, such as the accuracy of a
//     merged model against its weight alpha, one [Line] for each task, with the
//     interval of each point as an error bar.
//  3. [Save] writes either, a [Drawing], to a file whose extension says the
//     format. The file appears under its name when it is complete, not before.
//
// The same values give the same bytes: nothing of the time, the machine or a
// random number goes into a file. Figures are as large as their labels need, so
// that no label is clipped or lies upon another. Labels are printed as they
// are, but control characters become U+FFFD and those beyond 48 letters end in
// an ellipsis, as names may come from an untrusted file.
//
// Colours are told apart by colour-blind readers too: lines have those of
// Okabe and Ito, "Color Universal Design", 2008, and a marker each; heat maps
// the black-body colours of Moreland, "Why We Use Bad Color Maps and What You
// Can Do About It", 2016, whose luminance falls steadily. The type is
// Liberation Sans; an SVG names Arial and Helvetica, of the same metrics, for
// readers that do not have it.
package plot
