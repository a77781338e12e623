using k8s;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Operator;

/// <summary>An author's slip is a condition of the model for as long as it is there, holds nothing up, and costs one write when it comes and one when it goes.</summary>
public sealed class SpecConditionTests : OperatorFixture
{
    [Test, CancelAfter(180_000)]
    public async Task A_bad_path_and_a_bad_annotation_are_told_until_they_are_mended(CancellationToken cancellationToken)
    {
        var log = Plane.RequireRequestLog();
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken, static one =>
        {
            one.Spec.Storage.Path = "models/m";
            one.Metadata.Annotations = new Dictionary<string, string> { [OmeNames.IntegrityModeAnnotation] = "Fast" };
        });
        await UntilToldAsync(model, static told => told is { Status: "False", Reason: "InvalidStoragePath" }
            && told.Message.Contains("spec.storage.path 'models/m' is not an absolute path: set it to a directory", StringComparison.Ordinal)
            && told.Message.Contains("ome.io/integrity-mode is 'Fast': it must be one of Off, Basic, Deep", StringComparison.Ordinal), cancellationToken);
        await ReportAsync(node, model, NodeModelState.Ready, cancellationToken);
        var found = await UntilAsync(model, static one => one.Status?.State == "Ready", cancellationToken);
        found.Status.NodesReady.Should().Equal([node], "it holds nothing up");

        log.Clear();
        await PatchAsync(model, new { metadata = new { annotations = new Dictionary<string, string?> { [OmeNames.IntegrityModeAnnotation] = null } } }, cancellationToken);
        await UntilToldAsync(model, static told => told is not null && !told.Message.Contains("annotation", StringComparison.Ordinal), cancellationToken);
        StatusWrites().Should().Be(1);
        await PatchAsync(model, new { spec = new { storage = new { path = "/mnt/models/model" } } }, cancellationToken);
        await UntilToldAsync(model, static told => told is null, cancellationToken);
        StatusWrites().Should().Be(2);

        await PatchAsync(model, new { metadata = new { annotations = new Dictionary<string, string> { [OmeNames.IntegrityIntervalAnnotation] = "often" } } }, cancellationToken);
        await UntilToldAsync(model, static told => told is { Reason: "InvalidAnnotation" } && told.Message.Contains("'often'", StringComparison.Ordinal), cancellationToken);
        await DeleteAsync(model, cancellationToken);
        await ReportAsync(node, model, (string?)null, cancellationToken);
        await UntilGoneAsync(model, cancellationToken);

        int StatusWrites() => log.Writes.Count(write => write.Name == model.Name && write.Subresource == "status");
    }

    [Test, CancelAfter(180_000)]
    public async Task What_a_node_refuses_is_told_in_its_words_until_it_does_not(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);
        await ReportAsync(node, model, """{"status":"Failed","validation":{"result":"Inconclusive","reason":"InvalidSpec","message":"spec.storage.path '/etc' lies outside the models root"}}""", cancellationToken);
        await UntilToldAsync(model, told => told?.Reason == "RefusedByNode" && told.Message == $"{node}: spec.storage.path '/etc' lies outside the models root", cancellationToken);

        await ReportAsync(node, model, NodeModelState.Ready, cancellationToken);

        await UntilToldAsync(model, static told => told is null, cancellationToken);
    }

    private Task UntilToldAsync(ModelKey model, Func<ModelCondition?, bool> holds, CancellationToken cancellationToken) => UntilAsync(
        model, one => one.Status?.Conditions is { } conditions && holds(conditions.Find(static condition => condition.Type == "SpecValid")), cancellationToken);

    private Task PatchAsync(ModelKey model, object patch, CancellationToken cancellationToken) => Plane.Admin.CustomObjects.PatchClusterCustomObjectAsync<ClusterBaseModel>(
        new V1Patch(patch, V1Patch.PatchType.MergePatch), OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, model.Name, cancellationToken: cancellationToken);
}
