using k8s;
using k8s.Autorest;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;
using Ome.Shared.Kube;

namespace Ome.Agent.Publishing;

/// <summary>Where all nodes stand with one model, read from its ModelIntegrityChecks: asked only by a node that is about to withdraw, under a brake.</summary>
public sealed class FleetChecks(IKubernetes client)
{
    private const int PageSize = 500;
    private const int MostPages = 20;

    /// <summary>Every node that holds this life of the model; of more than 10,000 the first.</summary>
    /// <exception cref="HttpOperationException">The API server refused; 404 without the CRD.</exception>
    public async Task<IReadOnlyList<FleetNode>> ReadAsync(ModelKey key, string uid, CancellationToken cancellationToken)
    {
        var nodes = new List<FleetNode>();
        var selector = $"{OmeNames.CheckKeyLabel}={HashedName.Fit(key.DataKey, OmeNames.MaxLabelValueLength)}";
        string? next = null;
        for (var page = 0; page < MostPages; page++)
        {
            var list = await client.CustomObjects.ListClusterCustomObjectAsync<ListPage<ModelIntegrityCheck>>(
                OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, labelSelector: selector, limit: PageSize, continueParameter: next, cancellationToken: cancellationToken);
            nodes.AddRange(list.Items.Where(item => item.Spec.ModelRef.Uid == uid).Select(Read));
            next = list.Metadata?.ContinueProperty;
            if (string.IsNullOrEmpty(next)) break;
        }

        return nodes;
    }

    private static FleetNode Read(ModelIntegrityCheck check)
    {
        var condition = check.Status.Conditions?.Find(static condition => condition.Type == Publications.WithdrawnCondition);
        var state = condition?.Status switch { "True" => FleetState.Withdrawn, "Unknown" => FleetState.Claiming, _ => FleetState.Ready };
        return new FleetNode(check.Spec.NodeName, state, condition?.LastTransitionTime ?? DateTimeOffset.MinValue);
    }
}
