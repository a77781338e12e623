using k8s;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Reporting;

namespace Ome.Tests.Operator;

/// <summary>Reports in, status out, against a running operator: what contract 10.7 means to somebody who looks at the status. Its rows are ContractStatusTests.</summary>
public sealed class ModelStatusTests : OperatorFixture
{
    private const string Missing = "model-00002-of-00004.safetensors is missing";

    [Test, CancelAfter(120_000)]
    public async Task C02_C05_ready_failed_and_updating_nodes_fold_into_sorted_lists(CancellationToken cancellationToken)
    {
        var (b, a, c, d) = (await NodeAsync(cancellationToken, "node-b"), await NodeAsync(cancellationToken, "node-a"), await NodeAsync(cancellationToken, "node-c"), await NodeAsync(cancellationToken, "node-d"));
        var model = await ModelAsync(cancellationToken);
        await ReportAsync(b, model, NodeModelState.Ready, cancellationToken);
        await ReportAsync(a, model, NodeModelState.Ready, cancellationToken);
        await ReportAsync(c, model, NodeModelState.Failed, cancellationToken);
        await ReportAsync(d, model, NodeModelState.Updating, cancellationToken);

        var found = await UntilAsync(model, static one => one.Status?.NodeSummary == "2/4", cancellationToken);

        found.Status.State.Should().Be("Ready");
        found.Status.NodesReady.Should().Equal("node-a", "node-b");
        found.Status.NodesFailed.Should().Equal("node-c");
        found.Status.ObservedGeneration.Should().Be(found.Generation());
    }

    [Test, CancelAfter(120_000)]
    public async Task C03_only_failed_entries_fail_the_model(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);

        await ReportAsync(node, model, NodeModelState.Failed, cancellationToken);

        await UntilAsync(model, one => one.Status?.State == "Failed" && one.Status.NodesFailed!.SequenceEqual([node]), cancellationToken);
        await Events.AnyAsync(seen => seen.Reason == "ModelFailed" && seen.InvolvedObject.Name == model.Name, cancellationToken);
    }

    [Test, CancelAfter(120_000)]
    public async Task C04_only_updating_entries_leave_the_model_in_transit(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);

        await ReportAsync(node, model, NodeModelState.Updating, cancellationToken);

        var found = await UntilAsync(model, static one => one.Status?.NodeSummary == "0/1", cancellationToken);
        found.Status.State.Should().Be("In_Transit");
    }

    [Test, CancelAfter(120_000)]
    public async Task C07_a_model_whose_nodes_are_lost_is_in_transit_with_empty_lists(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);
        await ReportAsync(node, model, NodeModelState.Ready, cancellationToken);
        await UntilAsync(model, static one => one.Status?.State == "Ready", cancellationToken);

        await DeleteNodeAsync(node, cancellationToken);

        var found = await UntilAsync(model, static one => one.Status?.State == "In_Transit", cancellationToken);
        found.Status.NodesReady.Should().BeNullOrEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task C09_C11_unset_spec_members_are_filled_and_set_ones_kept(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken, static one =>
        {
            one.Spec.ModelFormat = new NamedVersion { Name = "safetensors" };
            one.Spec.ModelArchitecture = "MyArchitecture";
        });

        await ReportAsync(node, model, $$$"""{"name":"{{{model.Name}}}","status":"Ready","config":{"modelType":"gpt2","modelArchitecture":"Other","maxTokens":2048,"quantization":"fp8","modelFormat":{"name":"x","version":"1.0.0"},"modelCapabilities":["TEXT_TO_TEXT"],"decodedModelConfiguration":{"context_length":2048} } }""", cancellationToken);

        var found = await UntilAsync(model, static one => one.Spec.ModelType is not null && one.Status?.ObservedGeneration == one.Generation(), cancellationToken);
        found.Spec.ModelType.Should().Be("gpt2");
        found.Spec.MaxTokens.Should().Be(2048);
        found.Spec.Quantization.Should().Be("fp8");
        found.Spec.ModelArchitecture.Should().Be("MyArchitecture");
        found.Spec.ModelFormat!.Name.Should().Be("safetensors");
        found.Spec.ModelFormat.Version.Should().Be("1.0.0");
        found.Spec.ModelCapabilities.Should().Equal("TEXT_TO_TEXT");
        found.Spec.ModelConfiguration!["context_length"]!.GetValue<int>().Should().Be(2048);
        found.Spec.Storage.StorageUri.Should().Be("hf://org/model");
    }

    [Test, CancelAfter(120_000)]
    public async Task C16_C19_a_deleted_model_waits_for_its_nodes_and_names_them(CancellationToken cancellationToken)
    {
        var (one, two) = (await NodeAsync(cancellationToken), await NodeAsync(cancellationToken));
        var model = await ModelAsync(cancellationToken);
        await ReportAsync(one, model, NodeModelState.Ready, cancellationToken);
        await ReportAsync(two, model, NodeModelState.Deleted, cancellationToken);
        await UntilAsync(model, static found => found.Status?.State == "Ready", cancellationToken);

        await DeleteAsync(model, cancellationToken);
        var waiting = await UntilAsync(model, static found => found.Status?.Conditions?.Exists(static condition => condition.Reason == "Deleting") == true, cancellationToken);
        waiting.Status.Conditions!.Single(static condition => condition.Type == "Ready").Message.Should().Be($"waiting for 1 node to remove the files: {one}");

        await ReportAsync(one, model, (string?)null, cancellationToken);
        await UntilGoneAsync(model, cancellationToken);
    }

    [Test, CancelAfter(120_000)]
    public async Task C20_an_unreadable_entry_never_blocks_and_is_shown(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);
        await ReportAsync(node, model, "{broken", cancellationToken);
        var found = await UntilAsync(model, static one => one.Status?.Conditions?.Exists(static condition => condition.Type == "ReportsReadable") == true, cancellationToken);
        found.Status.Conditions!.Single(static condition => condition.Type == "ReportsReadable").Message.Should().Contain(node);

        await DeleteAsync(model, cancellationToken);

        await UntilGoneAsync(model, cancellationToken);
    }

    [Test, CancelAfter(120_000)]
    public async Task C21_a_node_that_is_gone_never_blocks(CancellationToken cancellationToken)
    {
        var model = await ModelAsync(cancellationToken);
        var node = await NodeAsync(cancellationToken);
        await ReportAsync(node, model, NodeModelState.Ready, cancellationToken);
        await UntilAsync(model, static found => found.Status?.State == "Ready", cancellationToken);
        await DeleteAsync(model, cancellationToken);
        await UntilAsync(model, static found => found.Status?.Conditions?.Exists(static condition => condition.Reason == "Deleting") == true, cancellationToken);

        await DeleteNodeAsync(node, cancellationToken);

        await UntilGoneAsync(model, cancellationToken);
    }

    [Test, CancelAfter(120_000)]
    public async Task C21_a_foreign_finalizer_keeps_the_model(CancellationToken cancellationToken)
    {
        var model = await ModelAsync(cancellationToken, static one => one.Metadata.Finalizers = ["example.com/keep"]);
        var found = await UntilAsync(model, static one => one.Finalizers()?.Count == 2, cancellationToken);
        found.Finalizers().Should().Equal("example.com/keep", "clusterbasemodels.ome.io/finalizer");
    }

    [Test, CancelAfter(120_000)]
    public async Task Damage_withdraws_the_node_names_the_file_and_readmission_clears_it(CancellationToken cancellationToken)
    {
        var (bad, good) = (await NodeAsync(cancellationToken), await NodeAsync(cancellationToken));
        var model = await ModelAsync(cancellationToken);
        var intact = $$"""{"name":"{{model.Name}}","status":"Ready","storageUri":"hf://org/model","validation":{"mode":"Deep","result":"Valid"} }""";
        await ReportAsync(bad, model, intact, cancellationToken);
        await ReportAsync(good, model, intact, cancellationToken);
        await UntilAsync(model, static found => found.Status?.NodeSummary == "2/2" && found.Status.Conditions!.Exists(static c => c is { Type: "ArtifactsIntact", Status: "True" }), cancellationToken);

        await ReportAsync(bad, model, $$$"""{"name":"{{{model.Name}}}","status":"Failed","storageUri":"hf://org/model","validation":{"mode":"Basic","result":"Invalid","reason":"FileMissing","message":"{{{Missing}}}"} }""", cancellationToken);

        var found = await UntilAsync(model, static one => one.Status?.NodesDamaged is { Count: 1 }, cancellationToken);
        found.Status.State.Should().Be("Ready");
        found.Status.NodesReady.Should().Equal(good);
        found.Status.NodesFailed.Should().Equal(bad);
        found.Status.NodesDamaged![0].Message.Should().Be(Missing);
        found.Status.Conditions!.Single(static condition => condition.Type == "ArtifactsIntact").Message
            .Should().Be($"{model.Name} is damaged on {bad}: {Missing}; readmission after repair and a full check");
        await Events.AnyAsync(seen => seen.Reason == "NodeWithdrawn" && seen.Message.Contains(Missing, StringComparison.Ordinal) && seen.InvolvedObject.Name == model.Name, cancellationToken);

        await ReportAsync(bad, model, intact, cancellationToken);
        await UntilAsync(model, static one => one.Status?.NodeSummary == "2/2" && one.Status.NodesDamaged is null or { Count: 0 }, cancellationToken);
        await Events.AnyAsync(seen => seen.Reason == "NodeReadmitted" && seen.InvolvedObject.Name == model.Name, cancellationToken);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_changed_source_makes_the_reports_stale_until_the_nodes_follow(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);
        await ReportAsync(node, model, """{"status":"Ready","storageUri":"hf://org/model"}""", cancellationToken);
        await UntilAsync(model, static found => found.Status?.State == "Ready", cancellationToken);

        var patch = new V1Patch("""{"spec":{"storage":{"storageUri":"hf://org/model@v2"}}}""", V1Patch.PatchType.MergePatch);
        await Plane.Admin.CustomObjects.PatchClusterCustomObjectAsync<ClusterBaseModel>(patch, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, model.Name, cancellationToken: cancellationToken);
        var stale = await UntilAsync(model, static found => found.Status?.State == "In_Transit", cancellationToken);
        stale.Status.NodeSummary.Should().Be("0/1");

        await ReportAsync(node, model, """{"status":"Ready","storageUri":"hf://org/model@v2"}""", cancellationToken);
        await UntilAsync(model, static found => found.Status?.State == "Ready", cancellationToken);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_status_somebody_else_wrote_is_put_right_when_the_model_is_touched(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);
        await ReportAsync(node, model, NodeModelState.Ready, cancellationToken);
        await UntilAsync(model, static found => found.Status?.State == "Ready", cancellationToken);
        var wrong = new V1Patch("""{"status":{"state":"Failed","nodesReady":[],"nodesFailed":["nobody"]}}""", V1Patch.PatchType.MergePatch);
        await Plane.Admin.CustomObjects.PatchClusterCustomObjectStatusAsync<ClusterBaseModel>(wrong, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, model.Name, cancellationToken: cancellationToken);

        var touch = new V1Patch("""{"spec":{"displayName":"touched"}}""", V1Patch.PatchType.MergePatch);
        await Plane.Admin.CustomObjects.PatchClusterCustomObjectAsync<ClusterBaseModel>(touch, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, model.Name, cancellationToken: cancellationToken);

        await UntilAsync(model, found => found.Status?.State == "Ready" && found.Status.NodesReady!.SequenceEqual([node]), cancellationToken);
    }
}
