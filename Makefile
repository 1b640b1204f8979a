# arima_ops: builds, installs and tests the extension.  "make help" lists the targets.

EXTENSION = arima_ops
MODULE_big = arima_ops
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" arima_ops.control)

# Targets that look after PostgreSQL themselves, so that they work before it is there.
HOUSE = help print-lapack-libs unit reference check soak demo demo-stop bench fuzz lint coverage dist docker-check
GOALS := $(or $(MAKECMDGOALS),all)

ifneq ($(and $(filter $(HOUSE),$(GOALS)),$(word 2,$(GOALS))),)

# Several goals of which one is such a target: one make each, in order.
.PHONY: $(GOALS) one-by-one
$(GOALS): one-by-one ;
one-by-one:
	+@set -e; for goal in $(GOALS); do $(MAKE) --no-print-directory $$goal; done

else

CORE_SRCS := $(sort $(wildcard src/core/*.c))
GLUE_SRCS := $(sort $(wildcard src/pg/*.c src/http/*.c))
ALL_HEADERS := $(wildcard src/core/*.h src/pg/*.h src/http/*.h)
PROXY_SRCS := $(sort $(wildcard src/proxy/*.c))

# The numerics.  No -ffast-math, which breaks isnan, and no -march=native: what
# is built here runs on any machine of the architecture.  Vectors are passed only
# between static functions, so how calls pass them (psabi) is no matter.
CORE_CFLAGS = -std=c11 -g -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math -fPIC \
	-fvisibility=hidden -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 $(WARNINGS) -Wno-psabi
WARNINGS = -Wall -Wextra
# make COVERAGE=yes: instrumented for gcov
ifdef COVERAGE
PROFILE = --coverage
endif

# LAPACKE over the reference LAPACK and BLAS.  A machine where OpenBLAS is the
# default would give each backend a thread of its own; the run path and naming
# both libraries here keep that out whatever the alternatives say.
MULTIARCH := $(shell gcc -print-multiarch 2>/dev/null)
LAPACK_DIR := $(wildcard $(addprefix /usr/lib/$(MULTIARCH),/lapack))
BLAS_DIR := $(wildcard $(addprefix /usr/lib/$(MULTIARCH),/blas))
LAPACKE_CFLAGS := $(shell pkg-config --cflags-only-I lapacke 2>/dev/null)
LAPACKE_LIBS = $(addprefix -L,$(LAPACK_DIR) $(BLAS_DIR)) \
	-llapacke -Wl,--no-as-needed -llapack -lblas \
	$(addprefix -Wl$(comma)-rpath$(comma),$(LAPACK_DIR) $(BLAS_DIR))
comma = ,

HAVE_LAPACKE = $(shell echo '\#include <lapacke.h>' | $(CC) $(LAPACKE_CFLAGS) -E - >/dev/null 2>&1 && echo yes)
LAPACK_ADVICE = Run scripts/install-dependencies, or as root: apt-get install
# libcurl's headers only: the library itself is loaded when it is needed (src/http/libcurl.c).
CURL_CFLAGS := $(shell pkg-config --cflags-only-I libcurl 2>/dev/null)
HAVE_MICROHTTPD = $(shell echo '\#include <microhttpd.h>' | $(CC) $(MICROHTTPD_CFLAGS) -E - >/dev/null 2>&1 && echo yes)
MICROHTTPD_CFLAGS := $(shell pkg-config --cflags-only-I libmicrohttpd 2>/dev/null)
define require_microhttpd
$(if $(HAVE_MICROHTTPD),,$(error microhttpd.h not found. $(LAPACK_ADVICE) libmicrohttpd-dev))
endef
HAVE_CURL = $(shell echo '\#include <curl/curl.h>' | $(CC) $(CURL_CFLAGS) -E - >/dev/null 2>&1 && echo yes)
HAVE_ZLIB = $(shell echo '\#include <zlib.h>' | $(CC) -E - >/dev/null 2>&1 && echo yes)
define require_curl
$(if $(HAVE_CURL),,$(error curl/curl.h not found. $(LAPACK_ADVICE) libcurl4-openssl-dev))
$(if $(HAVE_ZLIB),,$(error zlib.h not found. $(LAPACK_ADVICE) zlib1g-dev))
endef
define require_lapack
$(if $(HAVE_LAPACKE),,$(error lapacke.h not found. $(LAPACK_ADVICE) liblapacke-dev))
$(if $(MULTIARCH),$(if $(and $(LAPACK_DIR),$(BLAS_DIR)),,$(error the reference LAPACK and BLAS \
	are not installed. $(LAPACK_ADVICE) liblapack3 libblas3)))
endef

# The core is compiled once: the same objects are in the library and in its tests.
CORE_OBJS := $(patsubst src/core/%.c,build/core/%.o,$(CORE_SRCS))
COMPILE_CORE = $(CC) $(CORE_CFLAGS) $(PROFILE) $(LAPACKE_CFLAGS) -Isrc/core -MMD -MP
define core_rules
build/core/%.o: src/core/%.c Makefile build/core.flags | lapack-found
	@mkdir -p build/core
	$(COMPILE_CORE) -c $$< -o $$@
-include $(CORE_OBJS:.o=.d)
lapack-found:
	$$(require_lapack)@:
.PHONY: lapack-found
endef
# $(call remember,file,text): a file that changes when the text does, to depend on
remember = $(shell mkdir -p build; echo '$(2)' | cmp -s - $(1) || echo '$(2)' > $(1))

ifneq ($(filter $(HOUSE),$(GOALS)),)

# ---- without PostgreSQL's makefiles ----

.PHONY: $(HOUSE)

help:
	@echo 'make             build the extension'
	@echo 'make install     install it into PostgreSQL (as root, or with sudo); make uninstall takes it away'
	@echo 'make demo        everything from installing packages to a page with forecasts of real prices; make demo-stop ends it'
	@echo 'make check       every test, in a private cluster; a quarter of an hour'
	@echo 'make unit        tests of the numerical core; need no PostgreSQL'
	@echo 'make reference   the core against published fits; needs no PostgreSQL'
	@echo 'make installcheck  regression and isolation tests in a running server'
	@echo 'make fuzz        libFuzzer harnesses, FUZZ_SECONDS each (30)'
	@echo 'make soak        long fuzzing, valgrind, other PostgreSQL versions; hours'
	@echo 'make bench       benchmarks against R'
	@echo 'make lint        layout, static analysis, house rules'
	@echo 'make docker-check  build the container image and try it out'
	@echo 'make coverage    test coverage of src'
	@echo 'make dist        the release archive'
	@echo 'make clean       remove what was built'
	@echo
	@echo 'PG_CONFIG=path or PG_VERSION=major chooses the PostgreSQL.'

ifeq ($(origin CC),default)
CC = gcc
endif
TEST_CFLAGS = $(filter-out -f%,$(CORE_CFLAGS)) $(PROFILE) -D_POSIX_C_SOURCE=200809L -Isrc/core
CORE_LIB = build/libarima_core.a
LINK_TEST = $(CC) $(PROFILE) $(LINK_FLAGS) $^ -o $@ $(LAPACKE_LIBS) -lm
# A test is test_NAME.c; the other files of the folder are what the tests share.
UNIT_TESTS := $(patsubst test/unit/%.c,build/unit/%,$(sort $(wildcard test/unit/test_*.c)))
UNIT_SHARED := $(patsubst test/unit/%.c,build/unit/%.o,$(filter-out test/unit/test_%,$(wildcard test/unit/*.c)))
# The comparison with reference fits; the other programs of its folder make the data.
REFERENCE_PROGRAMS := $(shell grep -l '^main\b' test/reference/*.c)
REFERENCE_OBJS := $(patsubst test/%.c,build/%.o,test/reference/reference.c \
	$(filter-out $(REFERENCE_PROGRAMS),$(wildcard test/reference/*.c)))

unit: $(UNIT_TESTS)
	@scripts/run-tap $(UNIT_TESTS)

reference: build/reference/reference
	@build/reference/reference test/data/reference
	@build/reference/reference -f hard.csv test/data/reference
	@echo 'standard errors near the unit circle, where those of a collection are 6 % off:'
	@build/reference/reference -s test/data/reference log_AirPassengers__200_110s12

ifneq ($(filter unit reference,$(GOALS)),)
$(call remember,build/core.flags,$(COMPILE_CORE))
$(eval $(core_rules))
endif
$(CORE_LIB): $(CORE_OBJS)
	@rm -f $@
	ar rcs $@ $^
build/unit/%.o: test/unit/%.c $(ALL_HEADERS) $(wildcard test/unit/*.h) Makefile
	@mkdir -p build/unit
	$(CC) $(TEST_CFLAGS) -Itest/unit -c $< -o $@
build/reference/%.o: test/reference/%.c $(ALL_HEADERS) $(wildcard test/reference/*.h) Makefile
	@mkdir -p build/reference
	$(CC) $(TEST_CFLAGS) -c $< -o $@
$(UNIT_TESTS): build/unit/%: build/unit/%.o $(UNIT_SHARED) $(CORE_LIB)
	$(LINK_TEST)
# the parts of src/http that know nothing of PostgreSQL
build/unit/test_address: build/unit/address.o
build/unit/test_spelling: build/unit/spelling.o
build/unit/test_address.o build/unit/test_spelling.o: TEST_CFLAGS += -Isrc/http
build/unit/address.o build/unit/spelling.o: build/unit/%.o: src/http/%.c $(ALL_HEADERS) Makefile
	@mkdir -p build/unit
	$(CC) $(TEST_CFLAGS) -c $< -o $@
# with a search or clocks of their own
build/unit/test_append: LINK_FLAGS = -Wl,--wrap=ao_search
build/unit/test_budget: LINK_FLAGS = -Wl,--wrap=clock_gettime -Wl,--wrap=timespec_get
build/unit/test_gaps: LINK_FLAGS = -Wl,--wrap=ao_filter_run
build/unit/test_ladder: LINK_FLAGS = -Wl,--wrap=ao_search -Wl,--wrap=ao_out_of_time
build/reference/reference: $(REFERENCE_OBJS) $(CORE_LIB)
	$(LINK_TEST)
.SECONDARY:

check:
	@scripts/check
soak:
	@scripts/soak
demo:
	@scripts/demo
demo-stop:
	@scripts/restd stop .demo
	@scripts/cluster remove .demo
bench:
	@scripts/bench
fuzz:
	@scripts/run-fuzz
lint:
	@scripts/lint
docker-check:
	@scripts/docker-check
coverage:
	@scripts/coverage
# for scripts/run-fuzz
print-lapack-libs:
	@echo $(LAPACKE_LIBS)
dist:
	git archive --format=zip --prefix=arima_ops-$(EXTVERSION)/ -o arima_ops-$(EXTVERSION).zip HEAD

else

# ---- with PostgreSQL's makefiles (PGXS) ----

# pg_config on the PATH, else that of the newest PostgreSQL found
PG_CONFIG ?= $(shell PG_VERSION='$(PG_VERSION)' scripts/pg-config)
PGXS := $(wildcard $(if $(PG_CONFIG),$(shell $(PG_CONFIG) --pgxs)))
ifeq ($(PGXS)$(filter clean,$(GOALS)),)
$(error no PostgreSQL with its development files found. Run scripts/install-dependencies, or name it: make PG_CONFIG=path)
endif

OBJS = $(GLUE_SRCS:.c=.o) $(CORE_OBJS)
INSTALL_SCRIPT_SQL = sql/arima_ops--$(EXTVERSION).sql
DATA = $(wildcard sql/arima_ops--*--*.sql)
DATA_built = $(INSTALL_SCRIPT_SQL)
# The REST program; only its installation is like that of a script.
PROXY = build/proxy
RESTD = $(PROXY)/arima_restd
SCRIPTS_built = $(RESTD)
EXTRA_CLEAN = build results output_iso tmp_check tmp_check_iso regression.diffs regression.out

PG_CPPFLAGS = -Isrc/core -Isrc/pg -Isrc/http $(LAPACKE_CFLAGS) $(CURL_CFLAGS) -DARIMA_OPS_VERSION='"$(EXTVERSION)"'
# a function that a header does not declare on some PostgreSQL is an error, not a call of who knows what
PG_CFLAGS = -std=gnu11 -fvisibility=hidden -Werror=implicit-function-declaration $(PROFILE)
# "make CC=clang": the flags and headers of a PostgreSQL that gcc built have what clang does not know
ifneq ($(findstring clang,$(CC)),)
PG_CFLAGS += -Wno-unknown-warning-option -Wno-ignored-attributes -Wno-ignored-optimization-argument
endif
SHLIB_LINK = $(LAPACKE_LIBS) -lz -lm -ldl -Wl,--version-script=src/exports.map

# The JIT compiler would look for our hidden symbols by name and not find them,
# and nothing here is small enough to gain from it; so no bitcode, and no need of clang.
override with_llvm = no

# The tests of a running server; a test is test/sql/NAME.sql with expected/NAME.out.
REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation
ifeq ($(REGRESS),)
undefine REGRESS
endif
# PostgreSQL 13 has no program for isolation tests
ifeq ($(and $(ISOLATION),$(wildcard $(dir $(PGXS))../test/isolation/pg_isolation_regress)),)
undefine ISOLATION
endif

ifeq ($(PGXS),)
clean:
	rm -rf $(DATA_built) $(OBJS) $(MODULE_big).so $(EXTRA_CLEAN)
else
include $(PGXS)
endif

# since PostgreSQL 16 the expected results are not looked for in the input folder
ifneq ($(shell test '$(MAJORVERSION)' -ge 16 2>/dev/null && echo yes),)
ISOLATION_OPTS += --expecteddir=test/isolation
endif

# Objects of another PostgreSQL or of other flags are built again.
$(call remember,build/glue.flags,$(VERSION) $(CC) $(CFLAGS) $(EXTVERSION))
$(call remember,build/core.flags,$(COMPILE_CORE))
$(eval $(core_rules))
$(GLUE_SRCS:.c=.o): $(ALL_HEADERS) Makefile build/glue.flags | curl-found
curl-found:
	$(require_curl)@:
.PHONY: curl-found
$(MODULE_big).so: src/exports.map

# ---- arima_restd ----

# Built in another folder with other flags, for sanitizers: make PROXY=build/restd.asan RESTD_CFLAGS=-fsanitize=address
COMPILE_PROXY = $(CC) -std=gnu11 -g -O2 -fPIE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 $(WARNINGS) -pthread $(RESTD_CFLAGS) \
	-Isrc/proxy -I$(shell $(PG_CONFIG) --includedir) $(MICROHTTPD_CFLAGS) -DARIMA_OPS_VERSION='"$(EXTVERSION)"' -MMD -MP
PROXY_OBJS := $(patsubst src/proxy/%.c,$(PROXY)/%.o,$(PROXY_SRCS)) $(PROXY)/files.o
$(call remember,$(PROXY).flags,$(COMPILE_PROXY))
$(RESTD): $(PROXY_OBJS)
	$(CC) -pie -pthread $(RESTD_CFLAGS) $^ -o $@ -L$(shell $(PG_CONFIG) --libdir) -lpq -lmicrohttpd -lcrypto
$(PROXY)/%.o: src/proxy/%.c Makefile $(PROXY).flags | microhttpd-found
	@mkdir -p $(PROXY)
	$(COMPILE_PROXY) -c $< -o $@
$(PROXY)/files.o: $(PROXY)/files.c $(PROXY).flags | microhttpd-found
	$(COMPILE_PROXY) -c $< -o $@
# the page and its files, in the program
WEB_FILES := $(shell find src/proxy/web -type f ! -name '.*')
$(call remember,$(PROXY).files,$(WEB_FILES))
$(PROXY)/files.c: $(WEB_FILES) $(PROXY).files scripts/embed-assets arima_ops.control
	@mkdir -p $(PROXY)
	scripts/embed-assets src/proxy/web $@ '$(EXTVERSION)'
-include $(PROXY_OBJS:.o=.d)
microhttpd-found:
	$(require_microhttpd)@:
.PHONY: microhttpd-found
# PGXS looks for it under the path that it was built at
uninstall: uninstall-restd
uninstall-restd:
	rm -f '$(DESTDIR)$(bindir)/$(notdir $(RESTD))'
.PHONY: uninstall-restd

$(INSTALL_SCRIPT_SQL): $(sort $(wildcard sql/install/*.sql)) arima_ops.control
	cat $(sort $(wildcard sql/install/*.sql)) > $@

endif
endif
