namespace Ome.Tests.LocalCluster.Kubectl;

/// <summary>apply, create, label, annotate, patch, delete, diff.</summary>
[TestFixtureSource(typeof(KubectlTest), nameof(Found))]
public sealed class WriteCommandTests(string found) : KubectlTest(found)
{
    [Test, CancelAfter(180_000)]
    public async Task Apply_of_the_CRDs_is_idempotent(CancellationToken ct)
    {
        var first = await Kubectl.RunAsync(ct, "apply", "--server-side", "--force-conflicts", "-k", Path.Combine(ConfigDirectory, "crd"));
        var second = await Kubectl.RunAsync(ct, "apply", "--server-side", "-k", Path.Combine(ConfigDirectory, "crd"));

        first.Succeeded().Should().Contain("clusterbasemodels.ome.io serverside-applied");
        second.Succeeded().Should().Contain("modelintegritychecks.ome.io serverside-applied");
    }

    [Test, CancelAfter(180_000)]
    public async Task Apply_creates_configures_and_leaves_alone(CancellationToken ct)
    {
        var file = ModelFile("m");
        (await OutputAsync(ct, "apply", "-f", file)).Should().Contain("basemodel.ome.io/m created");
        (await OutputAsync(ct, "apply", "-f", file)).Should().Contain("basemodel.ome.io/m unchanged");
        (await OutputAsync(ct, "apply", "-f", ModelFile("m", "gguf"))).Should().Contain("basemodel.ome.io/m configured");
    }

    [Test, CancelAfter(180_000)]
    public async Task Apply_says_which_field_is_unknown(CancellationToken ct)
    {
        var file = ModelFile("m");
        await File.AppendAllTextAsync(file, "\n    storageUrl: typo\n", ct);

        var result = await RunAsync(ct, "apply", "-f", file);

        result.ExitCode.Should().Be(1);
        result.Error.Should().Contain("spec.storage.storageUrl");
    }

    [Test, CancelAfter(180_000)]
    public async Task Apply_says_which_field_of_a_built_in_kind_is_unknown(CancellationToken ct)
    {
        var file = Files["cm.yaml"];
        await File.WriteAllTextAsync(file, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndatum: {k: v}\n", ct);

        var result = await RunAsync(ct, "apply", "-f", file);

        result.ExitCode.Should().Be(1);
        result.Error.Should().Contain("unknown field \"datum\"");
    }

    [Test, CancelAfter(180_000)]
    public async Task Server_side_apply_finds_conflicts_and_force_resolves_them(CancellationToken ct)
    {
        (await OutputAsync(ct, "apply", "--server-side", "--field-manager=one", "-f", ModelFile("m"))).Should().Contain("serverside-applied");
        var other = ModelFile("m", "gguf");

        var refused = await RunAsync(ct, "apply", "--server-side", "--field-manager=two", "-f", other);

        refused.ExitCode.Should().Be(1);
        refused.Error.Should().Contain("conflict").And.Contain(".spec.modelFormat.name").And.Contain("\"one\"");
        (await OutputAsync(ct, "apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", other)).Should().Contain("serverside-applied");
    }

    [Test, CancelAfter(180_000)]
    public async Task Server_side_apply_takes_over_from_client_side_apply(CancellationToken ct)
    {
        await ApplyModelAsync("m", ct);

        (await OutputAsync(ct, "apply", "--server-side", "-f", ModelFile("m"))).Should().Contain("serverside-applied");

        (await OutputAsync(ct, "get", "basemodel", "m", "-o", "jsonpath={.spec.modelFormat.name} {.spec.storage.storageUri} {.metadata.generation}"))
            .Should().Be("safetensors hf://org/m 1", "nothing was lost on the way, and nothing changed");
    }

    [Test, CancelAfter(180_000)]
    public async Task Create_makes_objects_from_files_and_from_words(CancellationToken ct)
    {
        (await OutputAsync(ct, "create", "-f", ModelFile("m"))).Should().Contain("basemodel.ome.io/m created");
        (await RunAsync(ct, "create", "-f", ModelFile("m"))).Error.Should().Contain("AlreadyExists");
        (await OutputAsync(ct, "create", "configmap", "c", "--from-literal=a=b")).Should().Contain("configmap/c created");
        (await OutputAsync(ct, "create", "secret", "generic", "s", "--from-literal=token=hello")).Should().Contain("secret/s created");
        (await OutputAsync(ct, "create", "serviceaccount", "agent")).Should().Contain("serviceaccount/agent created");
        (await OutputAsync(ct, "create", "role", "r", "--verb=get,list", "--resource=configmaps")).Should().Contain("role.rbac.authorization.k8s.io/r created");
        (await OutputAsync(ct, "create", "rolebinding", "b", "--role=r", $"--serviceaccount={Namespace}:agent")).Should().Contain("rolebinding.rbac.authorization.k8s.io/b created");
        (await OutputAsync(ct, "create", "token", "agent")).Trim().Split('.').Should().HaveCount(3, "it is a JWT");
        (await OutputAsync(ct, "get", "configmap", "c", "-o", "jsonpath={.data.a}")).Should().Be("b");
        (await OutputAsync(ct, "get", "secret", "s", "-o", "jsonpath={.data.token}")).Should().Be("aGVsbG8=");
        DeleteLater($"namespace/{Namespace}-more");
        (await Kubectl.RunAsync(ct, "create", "namespace", $"{Namespace}-more")).Succeeded().Should().Contain("created");
    }

    [Test, CancelAfter(180_000)]
    public async Task Create_names_every_invalid_field(CancellationToken ct)
    {
        var file = Files["bad.yaml"];
        await File.WriteAllTextAsync(file, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_Name, labels: {k: 'not a value'}}\n", ct);

        var result = await RunAsync(ct, "create", "-f", file);

        result.ExitCode.Should().Be(1);
        result.Error.Should().Contain("metadata.name").And.Contain("metadata.labels");
    }

    [Test, CancelAfter(180_000)]
    public async Task Label_and_annotate_set_and_remove(CancellationToken ct)
    {
        await ApplyModelAsync("m", ct);

        (await OutputAsync(ct, "label", "basemodel", "m", "tier=gold")).Should().Contain("labeled");
        (await OutputAsync(ct, "annotate", "basemodel", "m", "ome.io/verify-now=1")).Should().Contain("annotated");
        (await OutputAsync(ct, "get", "basemodel", "m", "-o", "jsonpath={.metadata.labels.tier} {.metadata.annotations.ome\\.io/verify-now}")).Should().Be("gold 1");
        (await OutputAsync(ct, "label", "basemodel", "m", "tier-")).Should().Contain("unlabeled");
        (await OutputAsync(ct, "get", "basemodel", "m", "-o", "jsonpath={.metadata.labels}")).Should().BeEmpty();
    }

    [Test, CancelAfter(180_000)]
    public async Task Patch_speaks_three_formats(CancellationToken ct)
    {
        await ApplyModelAsync("m", ct);
        await OutputAsync(ct, "create", "configmap", "c", "--from-literal=a=b");

        await OutputAsync(ct, "patch", "basemodel", "m", "--type=merge", "-p", """{"spec":{"version":"1.0"}}""");
        await OutputAsync(ct, "patch", "basemodel", "m", "--type=json", "-p", """[{"op":"replace","path":"/spec/modelFormat/name","value":"gguf"}]""");
        await OutputAsync(ct, "patch", "configmap", "c", "--type=strategic", "-p", """{"data":{"x":"y"}}""");
        await OutputAsync(ct, "patch", "basemodel", "m", "--subresource=status", "--type=merge", "-p", """{"status":{"state":"Ready"}}""");

        (await OutputAsync(ct, "get", "basemodel", "m", "-o", "jsonpath={.spec.version} {.spec.modelFormat.name} {.status.state}")).Should().Be("1.0 gguf Ready");
        (await OutputAsync(ct, "get", "configmap", "c", "-o", "jsonpath={.data}")).Should().Be("""{"a":"b","x":"y"}""");
        (await RunAsync(ct, "patch", "basemodel", "m", "--type=strategic", "-p", "{}")).ExitCode.Should().Be(1);
    }

    [Test, CancelAfter(180_000)]
    public async Task Delete_waits_for_the_finalizer(CancellationToken ct)
    {
        await ApplyModelAsync("m", ct, "finalizers: [ome.io/test]");

        var unfinished = await RunAsync(ct, "delete", "basemodel", "m", "--timeout=1s");
        unfinished.ExitCode.Should().Be(1);
        (await OutputAsync(ct, "get", "basemodel", "m", "-o", "jsonpath={.metadata.deletionTimestamp}")).Should().NotBeEmpty();
        var waiting = RunAsync(ct, "delete", "basemodel", "m", "--timeout=30s");
        await OutputAsync(ct, "patch", "basemodel", "m", "--type=merge", "-p", """{"metadata":{"finalizers":null}}""");

        var finished = await waiting;
        // When the patch is faster than the second delete there is nothing left to delete; the object is gone either way.
        (finished.ExitCode == 0 || finished.Error.Contains("NotFound", StringComparison.Ordinal)).Should().BeTrue(finished.Error);
        (await RunAsync(ct, "get", "basemodel", "m")).Error.Should().Contain("NotFound");
    }

    [Test, CancelAfter(180_000)]
    public async Task Delete_by_selector_and_by_file(CancellationToken ct)
    {
        await ApplyModelAsync("a", ct, "labels: {g: one}");
        await ApplyModelAsync("b", ct, "labels: {g: two}");

        (await OutputAsync(ct, "delete", "basemodels", "-l", "g=one")).Should().Contain("\"a\" deleted");
        (await OutputAsync(ct, "delete", "-f", ModelFile("b"))).Should().Contain("\"b\" deleted");
        (await RunAsync(ct, "get", "basemodels")).Error.Should().Contain("No resources found");
    }

    [Test, CancelAfter(180_000)]
    public async Task Diff_shows_what_apply_would_change(CancellationToken ct)
    {
        await ApplyModelAsync("m", ct);

        var same = await RunAsync(ct, "diff", "-f", ModelFile("m"));
        var other = await RunAsync(ct, "diff", "-f", ModelFile("m", "gguf"));

        same.ExitCode.Should().Be(0, same.Output + same.Error);
        other.ExitCode.Should().Be(1, other.Error);
        other.Output.Should().Contain("-    name: safetensors").And.Contain("+    name: gguf");
        (await RunAsync(ct, "diff", "--server-side", "--force-conflicts", "-f", ModelFile("m", "gguf"))).Output.Should().Contain("+    name: gguf");
    }

    [Test, CancelAfter(180_000)]
    public async Task Scale_sets_the_replicas(CancellationToken ct)
    {
        await Kubectl.RunWithInputAsync(Conformance.Deployments.Json("d"), ct, "create", "-n", Namespace, "-f", "-");

        (await OutputAsync(ct, "scale", "deployment", "d", "--replicas=4")).Should().Contain("scaled");

        (await OutputAsync(ct, "get", "deployment", "d", "-o", "jsonpath={.spec.replicas}")).Should().Be("4");
    }

    [Test, CancelAfter(180_000)]
    public async Task Replace_puts_a_whole_object(CancellationToken ct)
    {
        await ApplyModelAsync("m", ct);

        (await OutputAsync(ct, "replace", "-f", ModelFile("m", "gguf"))).Should().Contain("replaced");
    }
}
