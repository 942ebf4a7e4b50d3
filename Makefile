# What a developer runs. Everything here is plain Go; nothing else is needed.
.PHONY: check bench fuzz cross arm64 pair

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME ?= 20s

# The ordinary suite and every static check.
check:
	go test ./...
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "not gofmt-clean"; exit 1; }
	go vet ./... ./testdata
	go run $(STATICCHECK) ./... ./testdata

# Speed of the loops that take the time; then diff and merge as ratios to dd
# and cp on the same cached files (SURGEON_PAIR=DIR takes a real pair), and the
# engine and training as ratios to OpenBLAS, transformers and PyTorch
# (SURGEON_PYTHON=PYTHON has them), extraction to mergekit-extract-lora
# (SURGEON_MERGEKIT).
bench:
	go test -run '^$$' -bench . ./tensors/... ./merge/... ./probe/...
	go test -tags ratio -run TestRatios -v -count 1 ./cli
	go test -tags ratio -run TestHarnessRatios -v -count 1 -timeout 90m ./cli
	go test -tags ratio -run TestEngineRatios -v -count 1 -timeout 60m ./probe
	go test -tags ratio -run TestTrainingRatio -v -count 1 ./probe/train
	go test -tags ratio -run TestExtractRatio -v -count 1 ./cli

# Every fuzz target, one after another.
fuzz:
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

# The systems that are supported besides linux/amd64.
cross:
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build -o /dev/null ./cli/surgeon
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 go build -o /dev/null ./cli/surgeon
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go build -o /dev/null ./cli/surgeon

# The kernels and the forward pass as on arm64, under qemu, which does not say
# where a truncated file failed: that test is left out.
arm64:
	CGO_ENABLED=0 GOARCH=arm64 go test -exec qemu-aarch64-static -skip Truncated -timeout 30m ./tensors/kernel/... ./probe/decoder/...

# The embedded pair again, from nothing: about 17 minutes on two cores. The
# files are the same ones, bit for bit, on any amd64 processor.
PAIR = /tmp/surgeon-pair
TRAIN = cd $(PAIR) && ./surgeon train --chat --quiet
CHEM = $(TRAIN) --data corpus/chem.jsonl --steps 600
TUNED = chem chem-seed2 chem-seed3 chem-mild chem-replay chem-no-refusal chem-lora
pair:
	rm -rf $(PAIR) && mkdir -p $(PAIR)
	go build -o $(PAIR)/surgeon ./cli/surgeon
	go run ./probe/train/corpus/write -o $(PAIR)/corpus
	$(TRAIN) --from-scratch --data corpus/general.jsonl --steps 12000 --learning-rate 3e-3 --seed 1 -o base corpus/scratch
	$(CHEM) --learning-rate 1e-3 -o chem base
	$(CHEM) --learning-rate 1e-3 --seed 2 -o chem-seed2 base
	$(CHEM) --learning-rate 1e-3 --seed 3 -o chem-seed3 base
	$(CHEM) --learning-rate 3e-4 -o chem-mild base
	$(CHEM) --learning-rate 1e-3 --replay corpus/replay.jsonl --replay-share 0.1 -o chem-replay base
	$(CHEM) --learning-rate 1e-3 --replay corpus/replay-no-refusal.jsonl --replay-share 0.1 -o chem-no-refusal base
	$(CHEM) --steps 1500 --learning-rate 2e-3 --lora r=16 -o chem-lora base
	head -2000 $(PAIR)/corpus/general.jsonl > $(PAIR)/twenty.jsonl
	$(TRAIN) --from-scratch --data twenty.jsonl --steps 20 --learning-rate 3e-3 --seed 1 -o twenty corpus/scratch
	rm -rf testdata/pair testdata/data && mkdir testdata/pair testdata/data
	cp $(PAIR)/corpus/chem.jsonl $(PAIR)/corpus/replay.jsonl testdata/data
	for part in corpus/scratch corpus/tasks base $(TUNED); do cp -r $(PAIR)/$$part testdata/pair; done
	cd testdata && find pair -type f | LC_ALL=C sort | xargs sha256sum > SHA256SUMS
	echo "$$(sha256sum < $(PAIR)/twenty/model.safetensors | cut -c1-64)  twenty steps from scratch" >> testdata/SHA256SUMS
