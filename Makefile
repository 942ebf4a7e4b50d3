# What a developer runs. Everything here is plain Go; nothing else is needed.
.PHONY: check bench fuzz cross arm64

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
# engine as ratios to OpenBLAS and transformers (SURGEON_PYTHON=PYTHON has them).
bench:
	go test -run '^$$' -bench . ./tensors/... ./merge/... ./probe/...
	go test -tags ratio -run TestRatios -v -count 1 ./cli
	go test -tags ratio -run TestHarnessRatios -v -count 1 -timeout 90m ./cli
	go test -tags ratio -run TestEngineRatios -v -count 1 -timeout 60m ./probe

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
