using Ome.LocalCluster.Fakes;
using Ome.Shared;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>What Prometheus reads from a running agent: dashboards and alerts of OME (contract 8.3, OEP-0011) and ours go by these names, types and labels.</summary>
public sealed class AgentMetricsTests
{
    private static readonly string[] Model = ["model_type", "namespace", "name"];
    private static readonly string[] Check = [.. Model, "mode", "storage_type", "result"];

    private static readonly (string Name, string Type, string[] Labels)[] Known =
    [
        ("model_agent_downloads_success_total", "counter", Model),
        ("model_agent_downloads_failed_total", "counter", Model),
        ("model_agent_md5_checksum_failed_total", "counter", Model),
        ("model_agent_verifications_total", "counter", [.. Model, "result"]),
        ("model_agent_download_bytes_total", "counter", Model),
        ("model_agent_rate_limit_total", "counter", Model),
        ("model_agent_download_duration_seconds", "histogram", Model),
        ("model_agent_verification_duration_seconds", "histogram", []),
        ("model_agent_rate_limit_wait_seconds", "histogram", Model),
        ("model_agent_ready_artifact_check_results_total", "counter", [.. Check, "reason"]),
        ("model_agent_ready_artifact_check_duration_seconds", "histogram", Check),
        ("model_agent_ready_artifact_bytes_checked_total", "counter", Check),
        ("model_agent_task_queue_depth", "gauge", []),
        ("model_agent_active_workers", "gauge", []),
        ("model_agent_models", "gauge", ["state"]),
        ("model_agent_models_unreadable", "gauge", []),
        ("model_agent_models_root_free_bytes", "gauge", []),
        ("model_agent_storage_degraded", "gauge", []),
        ("model_agent_watch_overflows_total", "counter", []),
        ("model_agent_watch_missing", "gauge", Model),
        ("model_agent_reader_threads_hung", "gauge", []),
        ("model_agent_staging_failures_total", "counter", [.. Model, "reason"]),
        ("model_agent_repairs_total", "counter", [.. Model, "result"]),
        ("model_agent_integrity_throttle_wait_seconds_total", "counter", []),
        ("model_agent_integrity_withdrawals_held", "gauge", Model),
        ("model_agent_integrity_withdrawals_total", "counter", [.. Model, "reason"]),
        ("model_agent_integrity_readmissions_total", "counter", Model),
        ("model_agent_integrity_oldest_proof_timestamp_seconds", "gauge", Model),
        ("model_agent_integrity_deep_max_age_seconds", "gauge", Model),
        ("model_agent_integrity_suspect_findings", "gauge", Model),
        ("model_agent_integrity_suspects", "gauge", []),
        ("model_agent_integrity_damaged", "gauge", Model),
        ("ome_build_info", "gauge", ["version", "kubeops"]),
        ("ome_queue_depth", "gauge", ["kind"]),
        ("process_working_set_bytes", "gauge", []),
    ];

    [Test]
    [CancelAfter(180_000)]
    public async Task A_scrape_tells_the_whole_circle_by_the_known_names(CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/tiny", tree.Path);
        hub.Faults.Add(new HubFault(HubFaultKind.Status, HubFaultScope.Resolve, Times: 1, Status: 429, RetryAfterSeconds: 1));
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(options => (options.HubEndpoint, options.OnDamage) = (hub.Endpoint, DamageAction.WithdrawAndRepair), token);
        var (model, missing) = ("metrics-" + node.NodeName, "missing-" + node.NodeName);
        var directory = Path.Combine(node.ModelsRoot, "tiny");

        await node.ApplyClusterModelAsync(missing, "hf://demo/absent", Path.Combine(node.ModelsRoot, "absent"), token);
        await node.ApplyClusterModelAsync(model, "hf://demo/tiny", directory, token);
        await node.WaitForAsync(missing, NodeModelState.Failed, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(model, check => check.Status.Result == "Valid", token);
        var shard = Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First();
        await using (var file = File.Open(shard, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = file.Length - 1;
            var last = file.ReadByte();
            file.Position = file.Length - 1;
            file.WriteByte((byte)(last ^ 0x40));
        }

        await node.WaitForAsync(model, NodeModelState.Failed, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);

        var metrics = await ScrapeAsync(node, static scrape => scrape.Value("model_agent_integrity_readmissions_total") > 0, token);
        foreach (var (name, type, labels) in Known)
        {
            metrics.Types.Should().ContainKey(name).WhoseValue.Should().Be(type, name);
            metrics.LabelNames(name).Should().BeEquivalentTo(labels, name);
        }

        var own = (("name", model), ("model_type", "ClusterBaseModel"), ("namespace", ""));
        metrics.Value("model_agent_downloads_success_total", own.Item1, own.Item2, own.Item3).Should().Be(1);
        metrics.Value("model_agent_download_duration_seconds_count", own.Item1).Should().Be(1);
        metrics.Value("model_agent_download_bytes_total", own.Item1).Should().BeGreaterThan(new DirectoryInfo(tree.Path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length));
        metrics.Value("model_agent_rate_limit_total").Should().Be(1);
        metrics.Value("model_agent_rate_limit_wait_seconds_sum").Should().BeApproximately(1, 0.01);
        metrics.Value("model_agent_staging_failures_total", ("name", missing), ("reason", "Unauthorized")).Should().Be(1);
        metrics.Value("model_agent_verifications_total", own.Item1, ("result", "failure")).Should().BeGreaterThan(0);
        metrics.Value("model_agent_md5_checksum_failed_total", own.Item1).Should().BeGreaterThan(0);
        metrics.Value("model_agent_integrity_withdrawals_total", own.Item1, ("reason", "DigestMismatch")).Should().Be(1);
        metrics.Value("model_agent_integrity_readmissions_total", own.Item1).Should().Be(1);
        metrics.Value("model_agent_repairs_total", own.Item1, ("result", "restaged")).Should().Be(1, "the damaged shard is half of the model");
        metrics.Value("model_agent_models", ("state", "Ready")).Should().Be(1);
        metrics.Value("model_agent_models", ("state", "Failed")).Should().Be(1);
        metrics.Value("model_agent_models_root_free_bytes").Should().BeGreaterThan(0);
        metrics.Value("ome_build_info", ("version", BuildInfo.Current.Version), ("kubeops", BuildInfo.Current.KubeOpsSource)).Should().Be(1);

        await node.DeleteClusterModelAsync(model, token);
        await node.WaitForAsync(model, NodeModelState.Deleted, token);
        using var client = new HttpClient { BaseAddress = node.Address };
        // Models come and go for as long as the agent lives.
        while ((await client.GetStringAsync("/metrics", token)).Contains($"name=\"{model}\"", StringComparison.Ordinal)) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
    }

    /// <summary>Reads the metrics until they say something: the label of a readmission may be seen before its count.</summary>
    private static async Task<MetricsText> ScrapeAsync(AgentFixture node, Func<MetricsText, bool> says, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = node.Address };
        while (true)
        {
            var metrics = new MetricsText(await client.GetStringAsync("/metrics", cancellationToken));
            if (says(metrics)) return metrics;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }
}
