# A thin front for Meson. PREFIX, given, is where things are meant to live; DESTDIR is a root that
# they are staged into.
BUILD ?= build
SANITIZED ?= $(BUILD)-sanitized
MESON ?= meson

prefix = $(if $(PREFIX),--prefix=$(PREFIX))
configured = $(BUILD)/build.ninja

.PHONY: all check install lint bench broken sanitize deb check-deb clean

# An existing build directory changes its prefix only when PREFIX says so.
all: $(configured)
	@$(if $(PREFIX),$(MESON) configure $(BUILD) $(prefix))
	@ninja -C $(BUILD)

$(configured):
	@$(MESON) setup $(prefix) $(BUILD)

install: all
	@$(MESON) install -C $(BUILD) --no-rebuild $(if $(DESTDIR),--destdir=$(abspath $(DESTDIR)))

sanitize:
	@test -e $(SANITIZED)/build.ninja || \
		$(MESON) setup -Db_sanitize=address,undefined -Db_lundef=false $(SANITIZED)
	@ninja -C $(SANITIZED)

check:
	@./check

lint: all
	@tests/lint $(BUILD)

# ROW=06: the patches of one row alone.
broken:
	@tests/broken/run $(ROW)

bench: all
	@bench/start $(BUILD)
	@bench/devices $(BUILD)
	@bench/stats $(BUILD)

# Debian packages, in $(BUILD)/deb.
deb:
	@tests/setup deb
	@packaging/deb $(BUILD)/deb

# They are installed, upgraded and removed in a Debian system of their own, which takes minutes.
check-deb:
	@tests/setup check-deb
	@/usr/bin/python3 -m pytest -q tests/deb

clean:
	@rm -rf $(BUILD) $(SANITIZED)
