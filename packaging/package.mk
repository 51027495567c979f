# SPDX-License-Identifier: Apache-2.0
# What is installed and what is given away: read by the Makefile.

.PHONY: version install uninstall dist dist-check deb deb-test rpm apk image matrix nightly

VERSION := $(shell sed -n 's/^.define NGX_HTTP_X402_VERSION "\(.*\)"/\1/p' src/base/module_version.hpp)
DIST := ngx_http_x402_module-$(VERSION)


version: ## the version of the module
	@echo $(VERSION)

install: build ## the module into nginx's folder of modules, stripped; on Debian also loaded, last of all; and x402-journal into BINDIR
	@NGINX="$(NGINX)" packaging/install-module $(MODULE) $(TOOL)

uninstall: ## take away what `make install` has put there
	@NGINX="$(NGINX)" packaging/install-module --remove

dist: build/dist/$(DIST).tar.gz ## build/dist/ngx_http_x402_module-VERSION.tar.gz of what is committed, the same bytes everywhere
	@echo "$<"

build/dist/$(DIST).tar.gz: ask
	@packaging/make-tarball $@

SUITE ?=

deb: dist ## build/deb/libnginx-mod-http-x402_*.deb for this Debian, or in a bare root of SUITE=trixie
	@packaging/build-deb build/dist/$(DIST).tar.gz $(SUITE)

# SUITES: those whose package is in build/deb.
SUITES = $(patsubst build/deb/%/,%,$(sort $(dir $(wildcard build/deb/*/*.deb))))

deb-test: need-e2e ## README and docs/install.md, word for word, in a bare root of each release with a package in build/deb; root
	@t/lib/need util-linux iproute2 openssl nginx binutils
	@[ -n "$(SUITES)" ] || { echo "no package in build/deb: make deb, or make deb SUITE=trixie"; exit 1; }
	@for suite in $(SUITES); do echo "== $$suite, debian/tests"; t/package/autopkgtest $$suite || exit 1; done
	@for suite in $(SUITES); do for page in README.md docs/install.md; do \
		echo "== $$suite, $$page"; SUITE=$$suite PAGE=$$page prove -It/lib t/package/debian.t || exit 1; done; done

dist-check: ## the tarball and the module of two clones in two folders are the same bytes
	@t/package/dist-check

rpm: ## the .rpm packages of packaging/rpm, with stand-ins for the macros of other systems
	@t/package/rpm

apk: ## what packaging/alpine/APKBUILD does, on this Debian
	@t/package/alpine

image: ## packaging/image/Dockerfile.debian with buildah; root
	@t/package/image

LEGS ?=

matrix: ## build, load and test with every nginx, compiler and option; root; LEGS="sid trixie" picks; hours
	@t/package/matrix $(LEGS)

# All that takes longer than a change can wait for.
nightly: ## matrix, packages, simulate, http with its long tests, chaos 2000, asan, valgrind, an hour of fuzzing; root; half a day
	@$(MAKE) --no-print-directory tidy
	@$(MAKE) --no-print-directory dist-check
	@$(MAKE) --no-print-directory deb SUITE=bookworm
	@$(MAKE) --no-print-directory deb SUITE=trixie
	@$(MAKE) --no-print-directory deb-test
	@$(MAKE) --no-print-directory rpm
	@$(MAKE) --no-print-directory apk
	@$(MAKE) --no-print-directory image
	@$(MAKE) --no-print-directory matrix
	@$(MAKE) --no-print-directory build/simulate/simulate
	@build/simulate/simulate --seconds 600
	@$(MAKE) --no-print-directory http X402_LONG=1
	@$(MAKE) --no-print-directory chaos CASES=2000
	@$(MAKE) --no-print-directory asan
	@$(MAKE) --no-print-directory valgrind
	@$(MAKE) --no-print-directory fuzz FUZZ_TIME=$$((3600 / $(words $(FUZZ))))
