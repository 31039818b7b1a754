/**
 * Machine images: those of the account, and Amazon's that everybody sees. Nothing is in them; what is launched from one is
 * decided by what stands behind instances. Left out, and refused where asked for: images in S3, kernels and RAM disks, sharing,
 * deprecating and disabling, deregistration protection. Snapshots are names only, and CreateImage restarts no instance.
 */
import type {
  BlockDeviceMapping,
  CreateImageCommandInput,
  CreateImageCommandOutput,
  DeregisterImageCommandInput,
  DeregisterImageCommandOutput,
  DescribeImagesCommandInput,
  DescribeImagesCommandOutput,
  Image,
  RegisterImageCommandInput,
  RegisterImageCommandOutput,
  TagSpecification,
} from '@aws-sdk/client-ec2';
import { accountId, publicArn } from '../../account.ts';
import type { Emit } from '../../aws-event.ts';
import { AwsError, type Call, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { amazonLinux } from '../amazon-linux.ts';
import { checkId, checkName, noSuchImage, notLaunchable, ownImage, publicImage } from './image.ts';
import { searched } from './image-search.ts';
import { missing, page, type Random, resourceId, type TaggedKind, tagsOf } from './resources.ts';

/** How long an image stays `pending`, in milliseconds of the clock. AWS does not tell: assumed. */
const delays = {
  /** Its snapshots are there already. */
  registered: 5_000,
  /** Its snapshots are taken first: minutes for volumes of some gigabytes. */
  created: 180_000,
};

/**
 * "Recently deregistered images appear in the returned results for a short interval and then return empty results. After all
 * instances that reference a deregistered AMI are terminated, specifying the ID of the image will eventually return an error"
 * (API_DescribeImages). Here the results are empty at once, and for as long as this, whatever the instances: assumed.
 */
const rememberedMs = 3_600_000;

export interface ImagesOptions {
  readonly random: Random;
  readonly clock: Clock;
  readonly emit: Emit;
  /** The image that an instance was launched from; `undefined` when there is no such instance. */
  readonly imageOf: (instanceId: string) => string | undefined;
}

export class Images {
  readonly operations: Operations;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #imageOf: ImagesOptions['imageOf'];
  readonly #images = new Map<string, Image>(amazonLinux.map((each) => [each.id, publicImage(each)]));
  readonly #gone = new Map<string, { readonly image: Image; readonly at: number }>();

  constructor(options: ImagesOptions) {
    this.#random = options.random;
    this.#clock = options.clock;
    this.#emit = options.emit;
    this.#imageOf = options.imageOf;
    this.operations = {
      RegisterImage: this.#register.bind(this),
      CreateImage: this.#create.bind(this),
      DescribeImages: this.#describe.bind(this),
      DeregisterImage: this.#deregister.bind(this),
    };
  }

  get tagged(): TaggedKind[] {
    return [{ find: (id) => this.#images.get(id), entries: () => this.#images }];
  }

  /** An image that instances can be launched from. Throws what RunInstances answers otherwise. */
  launchable(id: string): Image {
    checkId(id);
    const image = this.#images.get(id);
    if (image === undefined) throw noSuchImage(id);
    if (image.State !== 'available') throw notLaunchable(image);
    return image;
  }

  #register(input: RegisterImageCommandInput, call: Call): Output<RegisterImageCommandOutput> {
    if ((input.ImageLocation ?? input.KernelId ?? input.RamdiskId ?? input.BillingProducts) !== undefined)
      throw new AwsError(
        'UnsupportedOperation',
        'ImageLocation, KernelId, RamdiskId and BillingProducts of RegisterImage are not modelled by the embedded AWS',
      );
    const { RootDeviceName, BlockDeviceMappings: mappings = [] } = input;
    const root = mappings.find(({ DeviceName }) => DeviceName === RootDeviceName);
    // That a root snapshot is needed is documented ("Register a Linux AMI from a snapshot"), the words are not.
    if (RootDeviceName === undefined || root?.Ebs?.SnapshotId === undefined)
      throw new AwsError(
        'InvalidBlockDeviceMapping',
        'The block device mapping must have a snapshot for the root device.',
      );
    return this.#add(call, delays.registered, input.TagSpecifications, {
      Name: input.Name,
      Description: input.Description,
      // API_RegisterImage: "Default: For Amazon EBS-backed AMIs, i386", "Default: paravirtual".
      Architecture: input.Architecture ?? 'i386',
      VirtualizationType: (input.VirtualizationType ?? 'paravirtual') as Image['VirtualizationType'],
      EnaSupport: input.EnaSupport ?? false,
      RootDeviceName,
      BlockDeviceMappings: mappings,
    });
  }

  #create(input: CreateImageCommandInput, call: Call): Output<CreateImageCommandOutput> {
    const { InstanceId = '', BlockDeviceMappings: given = [] } = input;
    if (!/^i-[0-9a-f]{8,17}$/.test(InstanceId))
      throw new AwsError('InvalidInstanceID.Malformed', `Invalid id: "${InstanceId}"`);
    const source = this.#imageOf(InstanceId);
    if (source === undefined) throw missing('InstanceID', 'instance', InstanceId);
    // It may be gone by now, the instance still runs.
    const {
      Architecture,
      VirtualizationType,
      EnaSupport,
      RootDeviceName,
      BlockDeviceMappings = [],
    } = this.#images.get(source) ?? publicImage(amazonLinux[0]!);
    const kept = BlockDeviceMappings.filter(
      ({ DeviceName }) => !given.some((each) => each.DeviceName === DeviceName),
    );
    return this.#add(call, delays.created, input.TagSpecifications, {
      Name: input.Name,
      Description: input.Description,
      SourceInstanceId: InstanceId,
      SourceImageId: source,
      Architecture,
      VirtualizationType,
      EnaSupport,
      RootDeviceName,
      BlockDeviceMappings: [...kept, ...given].map((mapping) => this.#withSnapshot(mapping)),
    });
  }

  #withSnapshot(mapping: BlockDeviceMapping): BlockDeviceMapping {
    if (mapping.Ebs === undefined) return mapping;
    return { ...mapping, Ebs: { ...mapping.Ebs, SnapshotId: resourceId('snap', this.#random) } };
  }

  #add(
    call: Call,
    pendingMs: number,
    specifications: readonly TagSpecification[] | undefined,
    given: Parameters<typeof ownImage>[0],
  ): { ImageId: string } {
    const { Name: name = '' } = given;
    checkName(name);
    const taken = [...this.#images.values()].find(
      ({ OwnerId, Name }) => OwnerId === accountId && Name === name,
    );
    // Words: https://github.com/hashicorp/terraform-aws-consul/pull/131
    if (taken !== undefined)
      throw new AwsError(
        'InvalidAMIName.Duplicate',
        `AMI name ${name} is already in use by AMI ${taken.ImageId}`,
      );
    const ImageId = resourceId('ami', this.#random);
    const own = (specifications ?? []).filter(({ ResourceType }) => ResourceType === 'image');
    const image = ownImage({
      ...given,
      ImageId,
      CreationDate: new Date(this.#clock.now()).toISOString(),
      Tags: tagsOf(own),
    });
    this.#images.set(ImageId, image);
    this.#clock.after(pendingMs, () => {
      if (this.#images.get(ImageId) !== image) return;
      image.State = 'available';
      this.#announce(ImageId, 'available', call);
    });
    return { ImageId };
  }

  #describe(input: DescribeImagesCommandInput): Output<DescribeImagesCommandOutput> {
    const { ImageIds: ids = [] } = input;
    const found = searched(ids.length === 0 ? [...this.#images.values()] : this.#byId(ids), input);
    const { items, ...more } = page(found, input.MaxResults ?? Number.POSITIVE_INFINITY, input.NextToken);
    return { Images: items, ...more };
  }

  #byId(ids: readonly string[]): Image[] {
    for (const id of ids) checkId(id);
    const unknown = ids.filter((id) => !this.#images.has(id) && !this.#isRemembered(id));
    if (unknown.length > 0) throw noSuchImage(...unknown);
    return ids.flatMap((id) => this.#images.get(id) ?? []);
  }

  #deregister(input: DeregisterImageCommandInput, call: Call): Output<DeregisterImageCommandOutput> {
    const { ImageId: id = '' } = input;
    checkId(id);
    // Words: https://github.com/ansible/ansible/issues/24945
    if (this.#isRemembered(id))
      throw new AwsError('InvalidAMIID.Unavailable', `The image ID '${id}' is no longer available`);
    const image = this.#images.get(id);
    if (image === undefined) throw noSuchImage(id);
    // Somebody else's: the code is documented, the words are assumed.
    if (image.OwnerId !== accountId)
      throw new AwsError('AuthFailure', `Not authorized for image:${id}`, { status: 403 });
    this.#images.delete(id);
    this.#gone.set(id, { image, at: this.#clock.now() });
    this.#announce(id, 'deregistered', call);
    return { Return: true };
  }

  #isRemembered(id: string): boolean {
    const gone = this.#gone.get(id);
    return gone !== undefined && this.#clock.now() < gone.at + rememberedMs;
  }

  /** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-ami-events.html */
  #announce(ImageId: string, State: string, { requestId }: Call): void {
    this.#emit({
      source: 'aws.ec2',
      detailType: 'EC2 AMI State Change',
      resources: [publicArn('ec2', `image/${ImageId}`)],
      detail: { RequestId: requestId, ImageId, State, ErrorMessage: '' },
    });
  }
}
