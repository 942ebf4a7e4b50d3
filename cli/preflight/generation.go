package preflight

import "maps"

// generation compares the two generation_config.json. Where a side does not
// name its special tokens there, transformers takes them from config.json.
func (c *comparison) generation() error {
	base, tuned := c.has(generationFile)
	c.lacking(generationFile, Note, base, tuned, "one side has no defaults for generation, and the merge keeps the base's: copy the file of the other if generation does not stop")
	b, t := readSettings(c.base.objects[generationFile]), readSettings(c.tuned.objects[generationFile])
	configBase, configTuned := readSettings(c.base.objects[configFile]), readSettings(c.tuned.objects[configFile])
	for _, field := range tokenFields {
		if b[field].path != nil || t[field].path != nil {
			b.inherit(configBase, field)
			t.inherit(configTuned, field)
		}
	}
	if !base || !tuned { // what else one side lacks has been said
		maps.DeleteFunc(b, func(name string, _ setting) bool { return t[name].path == nil })
		maps.DeleteFunc(t, func(name string, _ setting) bool { return b[name].path == nil })
	}
	c.differ(generationFile, generationRules, b, t)
	return nil
}

// inherit takes over a setting that s does not have.
func (s settings) inherit(from settings, name string) {
	if v, ok := from[name]; ok && s[name].path == nil {
		s[name] = v
	}
}
