using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Entities.Attributes;

namespace Ome.Shared.Api;

/// <summary>
/// What BaseModel and ClusterBaseModel share: spec, status and the columns of <c>kubectl get</c>. The first twelve columns are OME's, in OME's
/// order (contract 1.2); ours follow and show with <c>-o wide</c> only.
/// </summary>
[GenericAdditionalPrinterColumn(".spec.disabled", "Disabled", "boolean")]
[GenericAdditionalPrinterColumn(".spec.version", "Version", "string")]
[GenericAdditionalPrinterColumn(".spec.vendor", "Vendor", "string")]
[GenericAdditionalPrinterColumn(".spec.modelFramework.name", "Framework", "string")]
[GenericAdditionalPrinterColumn(".spec.modelFramework.version", "FrameworkVersion", "string")]
[GenericAdditionalPrinterColumn(".spec.modelFormat.name", "ModelFormat", "string")]
[GenericAdditionalPrinterColumn(".spec.modelArchitecture", "Architecture", "string")]
[GenericAdditionalPrinterColumn(".spec.modelCapabilities[*]", "Capabilities", "string")]
[GenericAdditionalPrinterColumn(".spec.modelParameterSize", "Size", "string")]
[GenericAdditionalPrinterColumn(".spec.compartmentID", "CompartmentID", "string")]
[GenericAdditionalPrinterColumn(".status.state", "Ready", "string")]
[GenericAdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
[GenericAdditionalPrinterColumn(".status.nodeSummary", "Nodes", "string", Priority = PrinterColumnPriority.WideView)]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"ArtifactsIntact\")].status", "Intact", "string", Priority = PrinterColumnPriority.WideView)]
[GenericAdditionalPrinterColumn(".status.nodesDamaged[*].node", "Damaged", "string", Priority = PrinterColumnPriority.WideView)]
[GenericAdditionalPrinterColumn(".status.oldestProofTime", "Proven", "date", Priority = PrinterColumnPriority.WideView)]
public abstract class ModelEntity : CustomKubernetesEntity<BaseModelSpec, BaseModelStatus>;
