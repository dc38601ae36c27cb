# A thin front for Meson. PREFIX, given, is where things are meant to live; DESTDIR is a root that
# they are staged into.
BUILD ?= build
SANITIZED ?= $(BUILD)-sanitized
MESON ?= meson

prefix = $(if $(PREFIX),--prefix=$(PREFIX))
configured = $(BUILD)/build.ninja

.PHONY: all check install lint bench broken sanitize clean

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

clean:
	@rm -rf $(BUILD) $(SANITIZED)
