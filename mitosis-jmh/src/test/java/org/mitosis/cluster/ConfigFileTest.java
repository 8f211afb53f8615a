// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mitosis.setting.MissingPrerequisite;

class ConfigFileTest {
  @Test
  void readsAssignmentsAndComments() {
    assertEquals(
        Map.of("USER", "me", "CHILD_HOSTS", "val02,val03", "FILTER", "random cow start"),
        ConfigFiles.values(
            "# machines\n"
                + "USER=me\n"
                + " CHILD_HOSTS = val02,val03 # two\n\n"
                + "FILTER=\"random cow start\"\n",
            "test"));
  }

  @Test
  void keepsTheQuotesOfQuotedHosts() {
    assertEquals(
        Map.of("STR_CHILD_HOSTS", "'val02','val03'"),
        ConfigFiles.values("STR_CHILD_HOSTS='val02','val03'\n", "test"));
  }

  @Test
  void readsTheArtifactsMakefileAsItIs() {
    String makefile =
        """
        ### configurations ###
        USER=
        PWD=
        PROJECT_PATH=projects/mos
        PARENT_GID=fe80:0000:0000:0000:248a:0703:009c:7ca0
        PARENT_HOST=val06
        CHILD_HOSTS=val07
        STR_CHILD_HOSTS='val07'

        #USE_PROXY_COMMAND=false # true or false
        USE_PROXY_COMMAND=true # true or false
        FILTER=
        PLOT=1 # whatever this is
        RUNNER_FLAG=-k=$(USE_PROXY_COMMAND)
        HOSTS={'builder':[$(STR_ALL_HOSTS)] , \\
        'parent':['$(PARENT_HOST)'],\\
        }
        define runner
        \trm -rf $(2)
        endef
        micro-c-prepare:
        \t$(call runner, $(template), out/$@)
        clean: gen-clean
        \tUSER=other make
        """;
    Map<String, String> values = ConfigFiles.values(makefile, "makefile");
    assertEquals("projects/mos", values.get("PROJECT_PATH"));
    assertEquals("true", values.get("USE_PROXY_COMMAND"));
    assertEquals("", values.get("USER"), "a recipe assigns nothing");
    ClusterConfig config = ConfigFiles.config(values, "makefile");
    assertEquals(new Roles("val06", List.of("val07")), Roles.of(config));
    assertEquals("fe80:0000:0000:0000:248a:0703:009c:7ca0", config.parentGid());
  }

  @Test
  void replacesReferences() {
    assertEquals(
        "val01,val02",
        ConfigFiles.values("A=val01\nCHILD_HOSTS=$(A),${B}\nB=val02\n", "test").get("CHILD_HOSTS"));
    MissingPrerequisite refused =
        assertThrows(
            MissingPrerequisite.class, () -> ConfigFiles.values("USER=$(NOBODY)\n", "test"));
    assertEquals("test line 1: USER uses $(NOBODY), which has no value", refused.getMessage());
  }

  @Test
  void namesALineThatIsNone() {
    MissingPrerequisite refused =
        assertThrows(
            MissingPrerequisite.class, () -> ConfigFiles.values("USER=me\nwhatever\n", "c.conf"));
    assertEquals("c.conf line 2: must be KEY=VALUE, got 'whatever'", refused.getMessage());
  }

  @Test
  void namesTheLineOfAValueBehindOneThatGoesOn() {
    Map<String, Setting> settings =
        ConfigFile.parse("CHILD_HOSTS=val02,\\\nval03\nLOOPS=0\n", "c.conf");
    MissingPrerequisite refused =
        assertThrows(MissingPrerequisite.class, () -> ClusterConfig.of(settings));
    assertEquals("c.conf line 3: LOOPS must be between 1 and 1024, got '0'", refused.getMessage());
  }

  @Test
  void saysHowToGetAFile() {
    MissingPrerequisite refused =
        assertThrows(
            MissingPrerequisite.class, () -> ConfigFile.read(Path.of("/does/not/exist.conf")));
    assertTrue(refused.getMessage().contains("'cluster template"), refused.getMessage());
  }
}
