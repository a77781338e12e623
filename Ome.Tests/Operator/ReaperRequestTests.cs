using k8s;
using k8s.Models;
using Ome.LocalCluster.Faults;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Kube;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Operator;

/// <summary>What the removal of leftovers asks of the API server: everything once, and of a node that goes only what was its own.</summary>
public sealed class ReaperRequestTests : OperatorFixture
{
    // Longer than a label value may be: its label is shortened with a hash.
    private static readonly string LongName = "gone-" + new string('n', 80);

    private ModelKey _model = null!;

    /// <summary>Checks of a node that was gone before the operator came.</summary>
    protected override async Task BeforeOperatorAsync(CancellationToken cancellationToken)
    {
        _model = await ModelAsync(cancellationToken);
        await CheckAsync("gone-before", cancellationToken);
    }

    [Test, CancelAfter(180_000)]
    public async Task A_node_that_goes_costs_one_list_of_its_own_checks(CancellationToken cancellationToken)
    {
        var log = Plane.RequireRequestLog();
        await using var checks = new ObjectObserver<ModelIntegrityCheck>(Plane.Admin);
        var (stays, goes) = (await NodeAsync(cancellationToken), await NodeAsync(cancellationToken, LongName));
        foreach (var node in new[] { stays, goes })
        {
            await ReportAsync(node, _model, NodeModelState.Ready, cancellationToken);
            await CheckAsync(node, cancellationToken);
        }

        // Gone when everything was looked at, at the start.
        await checks.UntilAsync(null, _model.CheckName("gone-before"), static found => found is null, cancellationToken);
        await UntilAsync(_model, static found => found.Status?.NodesReady?.Count == 2, cancellationToken);
        log.Clear();

        await DeleteNodeAsync(goes, cancellationToken);
        await checks.UntilAsync(null, _model.CheckName(goes), static found => found is null, cancellationToken);
        await Reports.UntilAsync(Namespace, goes, static found => found is null, cancellationToken);

        OperatorLists(log).Should().Equal($"{OmeNames.CheckNodeLabel}={HashedName.Fit(goes, OmeNames.MaxLabelValueLength)}");
        checks.All.Select(static check => check.Name()).Should().Equal(_model.CheckName(stays));
    }

    private static IEnumerable<string> OperatorLists(RequestLog log) => log.Last
        .Where(static request => request is { Verb: "list", Resource: ModelIntegrityCheck.Plural } && request.User.Contains(RightsNames.Operator, StringComparison.Ordinal))
        .Select(static request => request.LabelSelector);

    private Task CheckAsync(string node, CancellationToken cancellationToken)
    {
        var check = new ModelIntegrityCheck
        {
            Metadata = new V1ObjectMeta
            {
                Name = _model.CheckName(node),
                Labels = new Dictionary<string, string> { [OmeNames.CheckNodeLabel] = HashedName.Fit(node, OmeNames.MaxLabelValueLength), [OmeNames.CheckKeyLabel] = HashedName.Fit(_model.DataKey, OmeNames.MaxLabelValueLength) },
            },
            Spec = new ModelIntegrityCheckSpec { NodeName = node, ModelRef = ModelSpecReader.ReferenceTo(new ModelSpec { Key = _model, StorageUri = "hf://org/model" }) },
            Status = null!,
        };
        return Plane.Admin.CustomObjects.CreateClusterCustomObjectAsync<ModelIntegrityCheck>(check, OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, cancellationToken: cancellationToken);
    }
}
