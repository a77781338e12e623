using Ome.Agent.Cli;
using k8s;
using k8s.Models;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Monitoring;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>The agent compiled ahead of time does what the agent on .NET does: what it lost at compile time would show here, as an exception where JSON, options or services are.</summary>
[Parallelizable]
public sealed class NativeAgentTests
{
    [Test, CancelAfter(240_000)]
    public async Task Models_of_every_source_go_the_whole_circle(CancellationToken token)
    {
        var program = NativeAgent.Path;
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/tiny", tree.Path);
        await using var store = await StoreAsync(tree.Path, token);
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await CreateSecretAsync(node, token);
        await using var agent = Start(program, node, hub, store);
        await agent.UntilReadyAsync(token);
        var models = new Dictionary<string, string>
        {
            ["hub-" + node.NodeName] = Path.Combine(node.ModelsRoot, "hub"),
            ["s3-" + node.NodeName] = Path.Combine(node.ModelsRoot, "s3"),
            ["local-" + node.NodeName] = node.WriteModel("local"),
        };

        foreach (var (model, directory) in models)
        {
            var local = model.StartsWith("local", StringComparison.Ordinal);
            var uri = local ? "local://" + directory : model.StartsWith("s3", StringComparison.Ordinal) ? "s3://models/org/tiny" : "hf://demo/tiny";
            await node.ApplyClusterModelAsync(model, uri, local ? null : directory, token, secret: model.StartsWith("s3", StringComparison.Ordinal) ? "aws" : null);
        }

        foreach (var model in models.Keys) await node.WaitForAsync(model, NodeModelState.Ready, token);
        foreach (var (model, directory) in models)
        {
            (await node.EntryAsync(model))!.Config!.ModelType.Should().Be("llama");
            var weights = Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First();
            var bytes = TestFiles.Bytes(weights);
            FileDamage.Flip(weights);
            await node.WaitForAsync(model, NodeModelState.Failed, token);
            var damaged = await node.WaitForCheckAsync(model, check => check.Status.Result == "Invalid", token);
            damaged.Status.Findings.Should().ContainSingle().Which.Path.Should().Be(Path.GetFileName(weights));
            while ((await node.EventsAsync(model)).Count == 0) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, token);

            await File.WriteAllBytesAsync(weights, bytes, token);
            await node.WaitForAsync(model, NodeModelState.Ready, token);
        }

        await node.DeleteClusterModelAsync("hub-" + node.NodeName, token);
        await node.WaitForAsync("hub-" + node.NodeName, NodeModelState.Deleted, token);
        Directory.Exists(models["hub-" + node.NodeName]).Should().BeFalse();
        agent.Log.Should().NotContainAny("fail:", "crit:", "NotSupportedException", "MissingMethodException", "System.InvalidOperationException");
    }

    [Test, CancelAfter(120_000)]
    public async Task It_goes_on_with_the_records_of_the_agent_on_dotnet_and_back(CancellationToken token)
    {
        var program = NativeAgent.Path;
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var (model, directory) = ("kept-" + node.NodeName, node.WriteModel("local"));
        await using (AgentProcess.Start(node))
        {
            await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
            await node.WaitForAsync(model, NodeModelState.Ready, token);
        }

        var record = Directory.EnumerateFiles(Path.Combine(node.ModelsRoot, ".ome"), "record.json", SearchOption.AllDirectories).Single();
        await using var labels = new LabelHistory(node.Plane.Admin, node.NodeName, model);
        foreach (var (build, round) in new[] { (program, 1), ("ome-agent.dll", 2), (program, 3) })
        {
            await using var agent = AgentProcess.Start(build, node, null, ["--log-level", "warn"], environment: null);
            await node.AnnotateClusterModelAsync(model, OmeNames.VerifyNowAnnotation, $"round-{round}", token);
            while (!(await File.ReadAllTextAsync(record, token)).Contains($"round-{round}", StringComparison.Ordinal)) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, token);
            agent.Log.Should().NotContain("cannot be read");
        }

        (await labels.TakeUntilAsync("Ready", token)).Should().Equal("Ready");
    }

    [Test, CancelAfter(120_000)]
    public async Task It_exports_the_same_metrics(CancellationToken token)
    {
        var program = NativeAgent.Path;
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await using var agent = AgentProcess.Start(program, node, null, null, environment: null);
        await agent.UntilReadyAsync(token);

        var scrape = new MetricsText(await agent.MetricsAsync(token));

        scrape.Types.Keys.Should().Contain(ExportedMetrics.Agent.Select(metric => metric.Name));
        scrape.Value("ome_build_info").Should().Be(1);
        scrape.Value("process_working_set_bytes").Should().BePositive();
    }

    [TestCase("--help")]
    [TestCase("verify", "--help")]
    [TestCase("manifest", "create", "--help")]
    [TestCase("--version")]
    [TestCase("--integrity-interval", "soon", "--port", "x")]
    [TestCase("verify")]
    [TestCase("verify", "/nowhere", "--digest", "crc")]
    [CancelAfter(60_000)]
    public async Task It_says_what_the_agent_on_dotnet_says(params string[] arguments)
    {
        var native = await CommandRun.OfAsync(NativeAgent.Path, arguments);
        var managed = await CommandRun.OfAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "ome-agent.dll"), .. arguments]);

        // The commit is of its own build.
        native.Should().Be(arguments is ["--version"] ? managed with { Output = native.Output } : managed);
        native.Output.Should().NotContain("Unhandled");
        (native.Output + native.Error).Should().NotBeEmpty();
    }

    // One damage each: of several, either build prints the one it finds first.
    [TestCase("nothing", ExitCode.Intact)]
    [TestCase("a bit", ExitCode.Damaged)]
    [TestCase("a file", ExitCode.Damaged)]
    [CancelAfter(60_000)]
    public async Task It_verifies_as_the_agent_on_dotnet_does(string lost, int code)
    {
        var program = NativeAgent.Path;
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        (await CommandRun.OfAsync(program, ["manifest", "create", tree.Path])).Code.Should().Be(ExitCode.Intact);
        if (lost == "a bit") FileDamage.Flip(Directory.GetFiles(tree.Path, "*.safetensors").First());
        if (lost == "a file") File.Delete(tree["tokenizer.json"]);

        foreach (var output in new[] { "", "--json" })
        {
            string[] arguments = ["verify", tree.Path, "--digest", "sha256", .. output.Length == 0 ? [] : new[] { output }];
            var native = await CommandRun.OfAsync(program, arguments);
            var managed = await CommandRun.OfAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "ome-agent.dll"), .. arguments]);

            native.Code.Should().Be(code);
            native.WithoutTimes().Should().Be(managed.WithoutTimes());
        }
    }

    [Test, CancelAfter(60_000)]
    public async Task A_kubeconfig_that_needs_a_program_is_refused_in_one_line(CancellationToken token)
    {
        var program = NativeAgent.Path;
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory["config"], """
            current-context: c
            contexts: [{ name: c, context: { cluster: k, user: cloud } }]
            clusters: [{ name: k, cluster: { server: "https://127.0.0.1:6443" } }]
            users: [{ name: cloud, user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: aws } } }]
            """, token);

        var run = await CommandRun.OfAsync("env", ["KUBECONFIG=" + directory["config"], "NODE_NAME=n", program, "--models-root-dir", directory.Path, "--port", "0"]);

        run.Code.Should().Be(ExitCode.Usage);
        run.Error.Should().MatchRegex("^ome-agent: the kubeconfig .+ cannot be read: user 'cloud' gets credentials from a program .+\n$");
    }

    private static ProgramProcess Start(string program, AgentFixture node, FakeHub hub, FakeObjectStore store) => AgentProcess.Start(
        program, node, null, ["--hf-endpoint", hub.Endpoint], new Dictionary<string, string?> { ["AWS_ENDPOINT_URL_S3"] = store.S3Endpoint });

    private static async Task<FakeObjectStore> StoreAsync(string tree, CancellationToken token)
    {
        var store = await FakeObjectStore.StartAsync(cancellationToken: token);
        store.RequiresCredentials = true;
        store.AccessKeys.Add("AKIDFAKE");
        foreach (var (path, bytes) in TestFiles.Tree(tree)) store.Put("models", "org/tiny/" + path, bytes);
        return store;
    }

    private static Task CreateSecretAsync(AgentFixture node, CancellationToken token) => node.Plane.Admin.CoreV1.CreateNamespacedSecretAsync(
        new V1Secret
        {
            Metadata = new V1ObjectMeta { Name = "aws" },
            Data = new Dictionary<string, byte[]> { ["accessKeyId"] = "AKIDFAKE"u8.ToArray(), ["secretAccessKey"] = "a-secret"u8.ToArray() },
        },
        node.Namespace, cancellationToken: token);
}
