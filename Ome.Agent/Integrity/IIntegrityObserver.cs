using Ome.Agent.Verification;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Integrity;

/// <summary>Told of every check: metrics, and the watch for a bad disk. Must not block or throw.</summary>
public interface IIntegrityObserver
{
    void Checked(ModelKey key, ModelSpec spec, CheckReport report);

    void Unverifiable(ModelKey key, ModelSpec spec, FindingReason reason);
}
