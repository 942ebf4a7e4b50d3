package preflight

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Compare compares what stands beside the weights of two model directories:
// the base, whose files a merge keeps, and what was made of it. The findings
// are sorted by severity, the worst first, then by file and field; of one
// severity and file, what is beyond 64 is counted in one more. A nil FS is an
// empty directory. The error is one of reading files; what they hold causes
// findings only. Exchanging base and tuned gives as many findings of each
// severity.
func Compare(base, tuned fs.FS) ([]Finding, error) {
	c := &comparison{base: side{dir: base}, tuned: side{dir: tuned}}
	for _, part := range []func() error{
		c.open, c.config, c.tokenizers, c.specialTokens, c.templates, c.generation, c.code,
	} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return arrange(c.findings), nil
}

// comparison is what is known of two directories so far.
type comparison struct {
	base, tuned side
	findings    []Finding
}

// side is one of two directories.
type side struct {
	dir     fs.FS
	objects map[string]map[string]any // the configurations that are there and can be parsed, by file
}

const (
	configFile     = "config.json"
	generationFile = "generation_config.json"
	tokenizerFile  = "tokenizer.json"
	settingsFile   = "tokenizer_config.json"
	specialFile    = "special_tokens_map.json"
	templateFile   = "chat_template.json"
	jinjaFile      = "chat_template.jinja"
)

// open parses the configurations of both sides.
func (c *comparison) open() error {
	c.base.objects, c.tuned.objects = map[string]map[string]any{}, map[string]map[string]any{}
	for _, file := range []string{configFile, generationFile, settingsFile, specialFile, templateFile} {
		base, tuned, err := c.read(file, configLimits)
		if err != nil {
			return err
		}
		base.object(configLimits)
		tuned.object(configLimits)
		if c.faulty(file, base, tuned) { // then neither side is kept, as if there were none
			continue
		}
		c.base.keep(file, base)
		c.tuned.keep(file, tuned)
	}
	return nil
}

func (s *side) keep(file string, c content) {
	if c.there {
		s.objects[file], _ = decode(c.data).(map[string]any)
	}
}

// read reads a file of both sides.
func (c *comparison) read(file string, limit limits) (base, tuned content, err error) {
	if base, err = read(c.base.dir, file, limit); err != nil {
		return base, tuned, fmt.Errorf("base: %w", err)
	}
	if tuned, err = read(c.tuned.dir, file, limit); err != nil {
		return base, tuned, fmt.Errorf("tuned: %w", err)
	}
	return base, tuned, nil
}

// faulty finds files that cannot be read as what they should be.
func (c *comparison) faulty(file string, base, tuned content) bool {
	var says []string
	for _, one := range []struct {
		name string
		content
	}{{"the base's", base}, {"the tuned model's", tuned}} {
		if one.fault != "" {
			says = append(says, fmt.Sprintf("%s %s %s", one.name, printable(file), one.fault))
		}
	}
	if len(says) == 0 {
		return false
	}
	c.add(Finding{Warning, printable(file), "", base.state(), tuned.state(),
		strings.Join(says, " and ") + ", so nothing in it was compared: fetch the file again or repair it"})
	return true
}

func (c content) state() string {
	switch {
	case !c.there:
		return absent
	case c.fault != "":
		return "broken"
	}
	return "readable"
}

func (c *comparison) add(findings ...Finding) { c.findings = append(c.findings, findings...) }

// lacking finds a file that only one side has.
func (c *comparison) lacking(file string, severity Severity, base, tuned bool, says string) {
	if base != tuned {
		c.add(Finding{severity, file, "", state(base), state(tuned), says})
	}
}

func state(there bool) string { return content{there: there}.state() }

// has says which sides have a configuration.
func (c *comparison) has(file string) (base, tuned bool) {
	return c.base.objects[file] != nil, c.tuned.objects[file] != nil
}

// config compares the two config.json.
func (c *comparison) config() error {
	c.quantised()
	base, tuned := c.has(configFile)
	c.lacking(configFile, Warning, base, tuned, "one side has no config.json, so the architectures were not compared: fetch it, or make sure that both are the same model")
	if base && tuned {
		c.differ(configFile, configRules, readSettings(c.base.objects[configFile]), readSettings(c.tuned.objects[configFile]))
	}
	return nil
}

// differ finds the settings that differ.
func (c *comparison) differ(file string, r rules, base, tuned settings) {
	names := maps.Clone(base)
	maps.Copy(names, tuned)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		b, t := base[name], tuned[name]
		written := b.path != nil && !b.implied || t.path != nil && !t.implied
		if written && b.text != t.text {
			c.add(r.judge(file, b, t))
		}
	}
}

// quantised finds weights whose stored values are not what they stand for,
// whether or not both sides are alike in it.
func (c *comparison) quantised() {
	base, tuned := quantisations(c.base.objects[configFile]), quantisations(c.tuned.objects[configFile])
	names := maps.Clone(base)
	maps.Copy(names, tuned)
	for name := range names {
		b, inBase := base[name]
		t, inTuned := tuned[name]
		c.add(Finding{Error, configFile, clip(name), shown(b, inBase), shown(t, inTuned),
			"the weights are quantised, so the stored values are not weights and cannot be added: dequantise the model to bfloat16 before merging"})
	}
}

// quantisations finds the quantised objects of a configuration and their
// method, by path.
func quantisations(object map[string]any) map[string]string {
	found := map[string]string{}
	flatten(object, nil, func(path []string, v any) {
		at := slices.IndexFunc(path, func(name string) bool { return slices.Contains(quantised, name) })
		if at < 0 {
			return
		}
		name := dotted(path[:at+1])
		if _, ok := found[name]; !ok {
			found[name] = "present"
		}
		if len(path) == at+2 && path[at+1] == "quant_method" {
			found[name] = text(v)
		}
	})
	return found
}
