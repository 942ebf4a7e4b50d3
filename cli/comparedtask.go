package cli

// comparison is what compare says, and its JSON. Differences are tuned minus
// base, scores and differences are shares.
type comparison struct {
	Base    string         `json:"base"`
	Tuned   string         `json:"tuned"`
	Sources [2]string      `json:"sources"`
	Tasks   []comparedTask `json:"tasks"`
	Groups  []comparedTask `json:"groups,omitempty"`
	Largest *largestLoss   `json:"largest,omitempty"`
	Notes   []string       `json:"notes,omitempty"`

	faults []string // that close the gate
}

// comparedTask is a task, or a group of them, by one metric.
type comparedTask struct {
	Task     string    `json:"task"`
	Metric   string    `json:"metric"`
	Group    string    `json:"group,omitempty"`
	N        int       `json:"n"`
	Seeds    int       `json:"seeds"`
	Clusters int       `json:"clusters,omitempty"`
	Base     number    `json:"base"`
	Tuned    number    `json:"tuned"`
	Diff     number    `json:"diff"`
	SE       number    `json:"se"`
	TunedSE  number    `json:"tuned_se,omitempty"` // of the tuned model's own score
	CI       [2]number `json:"ci"`
	Method   string    `json:"ci_method"`
	BCa      [2]number `json:"ci_bca"`
	Lost     int       `json:"b"` // items that were right, or better, before
	Gained   int       `json:"c"`
	McNemar  number    `json:"p_mcnemar"`
	MidP     number    `json:"p_mcnemar_mid"`
	Flips    number    `json:"p_permutation"`
	P        number    `json:"p"`
	PMethod  string    `json:"p_method"`
	Adjusted *number   `json:"p_holm,omitempty"` // of the family of primary tasks
	FDR      *number   `json:"p_bh,omitempty"`   // of the parts of a group

	Margin      number        `json:"margin"`
	Verdict     string        `json:"verdict"`
	Detectable  number        `json:"detectable"`
	NeededItems int           `json:"needed_items,omitempty"`
	NeededSeeds int           `json:"needed_seeds,omitempty"`
	Design      number        `json:"design_effect"`
	Correlation number        `json:"correlation"`
	Components  *seedParts    `json:"seed_components,omitempty"`
	Retention   *retained     `json:"retention,omitempty"`
	Format      *formatParts  `json:"format,omitempty"`
	Flipped     []flippedItem `json:"flipped,omitempty"`
	Warnings    []string      `json:"warnings,omitempty"`

	Unit        string `json:"unit,omitempty"`  // of scores that are no shares
	Floor       bool   `json:"floor,omitempty"` // the base is not shown to be above chance
	Ceiling     bool   `json:"ceiling,omitempty"`
	Insensitive bool   `json:"insensitive,omitempty"` // the base could not lose the margin
	Equivalent  bool   `json:"equivalent,omitempty"`

	primary bool
	leads   bool   // of a group: the metric is the first of its tasks
	by      string // " by METRIC" of such a row that is not the group's first
}

// seedParts is where the variance of a difference comes from.
type seedParts struct {
	Item     number `json:"item"`
	Seed     number `json:"seed"`
	Residual number `json:"residual"`
	SDBase   number `json:"sd_base"`
	SDTuned  number `json:"sd_tuned"`
	SDDiff   number `json:"sd_diff"`
	Buy      string `json:"buy"`
}

// retained is the share of what the base knows above chance that is left.
type retained struct {
	Ratio     number `json:"ratio"`
	Low       number `json:"low"`
	High      number `json:"high"`
	Undefined string `json:"undefined,omitempty"`
}

// formatParts split a difference into knowledge and form.
type formatParts struct {
	Knowledge number `json:"knowledge"` // over answers that could be read of both models
	Form      number `json:"form"`      // over answers that could be read of one alone
	BaseRead  number `json:"base_read"` // shares
	TunedRead number `json:"tuned_read"`
}

// flippedItem is an item whose score fell or rose.
type flippedItem struct {
	Item  string `json:"item"`
	Seed  int64  `json:"seed"`
	Base  number `json:"base"`
	Tuned number `json:"tuned"`
}

// largestLoss is the largest regression of the primary tasks, for all that it
// was picked.
type largestLoss struct {
	Task        string `json:"task"`
	Diff        number `json:"diff"` // in points adjusted for chance, as all below
	Low         number `json:"low"`
	High        number `json:"high"`
	P           number `json:"p"`
	Probability number `json:"probability"`
	Shrunken    number `json:"shrunken"`
	RunnerUp    string `json:"runner_up,omitempty"`
	HeldOut     string `json:"held_out,omitempty"`
}
