package tensors_test

import (
	"strings"
	"testing"

	"surgeon/tensors"
)

// TestIndexLies refuses an index that does not say the truth, and says where
// it lies.
func TestIndexLies(t *testing.T) {
	a, b := "a.safetensors", "b.safetensors"
	both := file(`{`+tensor("x", "U8", "[1]", "[0,1]")+`,`+tensor("y", "U8", "[1]", "[1,2]")+`}`, 1, 2)
	files := func(index string) map[string][]byte {
		return map[string][]byte{"model.safetensors.index.json": []byte(index), a: one("x", 1), b: one("y", 2), "c.safetensors": both}
	}
	check := func(name, index string, words ...string) {
		t.Run(name, func(t *testing.T) {
			dir := write(t, files(index))
			c, err := tensors.Open(dir)
			refused(t, c, err, append(words, dir)...)
			c, err = tensors.OpenFS(mapFS(files(index)), "m")
			refused(t, c, err, append(words, "m/")...)
		})
	}
	c, err := tensors.OpenFS(mapFS(files(`{"weight_map":{"x":"a.safetensors","y":"b.safetensors"}}`)), "m")
	if err != nil {
		t.Fatalf("the true index: %v", err)
	}
	c.Close()

	check("elsewhere", `{"weight_map":{"x":"b.safetensors","y":"a.safetensors"}}`, "index.json", `"x"`, a, b)
	check("no such tensor", `{"weight_map":{"x":"a.safetensors","y":"b.safetensors","z":"b.safetensors"}}`, "index.json", `"z" is not in `+b)
	check("tensor renamed", `{"weight_map":{"x":"a.safetensors","z":"b.safetensors"}}`, "index.json", `"z" is not in `+b)
	check("tensor kept quiet", `{"weight_map":{"x":"c.safetensors"}}`, "index.json", `"y" of c.safetensors is missing from the index`)
	check("extra tensor", `{"weight_map":{"y":"b.safetensors","x":"b.safetensors"}}`, "index.json", `"x"`, b)
	check("no such file", `{"weight_map":{"x":"a.safetensors","y":"d.safetensors"}}`, "d.safetensors")
	check("empty", `{"weight_map":{}}`, "index.json", "weight_map")
	check("null", `null`, "index.json", "weight_map")
	check("no map", `{"metadata":{"total_size":1}}`, "index.json", "weight_map")
	check("not JSON", `{"weight_map":`, "index.json", "not a shard index")
	check("nothing", ``, "index.json", "not a shard index")
	check("a list", `[]`, "index.json", "not a shard index")
	check("map of numbers", `{"weight_map":{"x":1}}`, "index.json", "not a shard index")
	check("trailing text", `{"weight_map":{"x":"a.safetensors","y":"b.safetensors"}} x`, "index.json", "not a shard index")
	check("deep", strings.Repeat("[", 20_000), "index.json", "not a shard index")
	check("names the index itself", `{"weight_map":{"x":"model.safetensors.index.json"}}`, "model.safetensors.index.json", "header")
	for _, out := range []string{"../a.safetensors", "..", ".", "", "/etc/passwd", "sub/a.safetensors", `sub\\a.safetensors`, "./a.safetensors", "a.safetensors/"} {
		check("leads out by "+out, `{"weight_map":{"x":"`+out+`"}}`, "index.json", `"x"`, "not the name of a file beside the index")
	}
}

// TestTensorInTwoShards refuses a tensor that two files hold: which of them is
// meant would depend on the order of reading.
func TestTensorInTwoShards(t *testing.T) {
	header := `{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"y":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`
	c, err := tensors.OpenFS(mapFS(map[string][]byte{
		"model.safetensors.index.json": []byte(`{"weight_map":{"x":"a.safetensors","y":"b.safetensors"}}`),
		"a.safetensors":                one("x", 1), "b.safetensors": file(header, 1, 2),
	}), "m")
	refused(t, c, err, "b.safetensors", `"x"`, "a.safetensors too")
}
